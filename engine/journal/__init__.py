"""What must not be lost: an append-only log and the indexed view rebuilt from it."""

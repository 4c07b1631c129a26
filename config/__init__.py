"""What the operator decides: settings with provenance, feature flags, secrets, paths."""

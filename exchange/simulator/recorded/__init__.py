"""A recorded session as a market: what was received drives it again, on the venue's own instants."""

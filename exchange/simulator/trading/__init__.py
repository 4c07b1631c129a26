"""The trading side of the simulated venue: orders, matching, margin, the algo service and the account's events."""

"""Virtual positions: life cycle, costs, smart monitoring."""

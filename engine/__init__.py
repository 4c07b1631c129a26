"""The desk: market, analysis, strategies, signals, risk, positions, journal and runtime."""

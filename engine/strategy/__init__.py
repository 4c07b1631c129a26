"""The three strategies: one symbol's analysis in, at most one candidate out."""

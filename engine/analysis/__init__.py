"""Indicators and ICT structure as compiled kernels over columns."""

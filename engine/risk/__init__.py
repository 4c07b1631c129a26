"""Leverage, size, account protection and the graded API breaker."""

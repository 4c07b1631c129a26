"""The tape: universe, candles, quotes and the feed that keeps them true."""

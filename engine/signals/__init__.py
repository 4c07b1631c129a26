"""From candidates to ranked signals: quality, balance, expected value."""

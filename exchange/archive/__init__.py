"""Historical candles: imported from the venue's public archive, fetched over REST, kept as Parquet, checked.

Only one-shot commands import this package: it needs pyarrow, which a running desk does without.
"""

"""The venue: domain types, trading rules, the Binance session, and a simulator that speaks its protocol."""

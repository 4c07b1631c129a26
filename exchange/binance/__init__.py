"""The Binance USDT-margined futures client: pure session logic above thin adapters."""

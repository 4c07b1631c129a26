"""Live orders: intents, the book, protection, reconciliation, money and limits of one account."""

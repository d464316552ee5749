"""``trackrecord strategy``: from a sentence to a strategy, and what a backtest says of it."""

"""Entries and exits to realised PnL, per signal, strategy, symbol and day."""

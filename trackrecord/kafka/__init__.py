"""What every client of the broker shares: its configuration and what it acknowledges."""

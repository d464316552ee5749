"""What puts events on record from outside a strategy: scripts, and files of events."""

"""What the trainer does when it looks, and a run from its row to its end."""

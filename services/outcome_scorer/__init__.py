"""The stage that judges signals when they are emitted, and when the market has answered."""

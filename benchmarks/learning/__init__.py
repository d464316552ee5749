"""Evidence for the learning loop: worlds of which the truth is known, real bars, and speed."""

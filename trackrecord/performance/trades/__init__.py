"""What trades earned: one, many, and the numbers of a list of them."""

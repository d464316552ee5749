"""Generators that write parts of the repository, and check that they are up to date."""

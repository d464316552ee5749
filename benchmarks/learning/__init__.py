"""Benchmarks of the training of models: on generated markets, on real bars, and for speed."""

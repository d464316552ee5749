"""Benchmarks of the pipeline, compared with other software and with the limits of the machine."""

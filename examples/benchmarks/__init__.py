"""Benchmarks: accuracy against goals, and against other methods."""

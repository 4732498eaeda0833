"""Benchmarks: each prints a ratio against something real, measured in the same run."""

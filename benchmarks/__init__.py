"""Benchmarks: `make bench` prints the cost of each step in one table."""

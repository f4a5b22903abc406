"""Benchmarks of the search, run by `make bench-search`; what they measure is in docs/performance.md."""

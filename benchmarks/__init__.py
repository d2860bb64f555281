"""Measurements that assert their answers. `python -m benchmarks --help`; docs/benchmarks.md has the figures."""

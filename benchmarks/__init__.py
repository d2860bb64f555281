"""Measurements that assert their answers. Each module says how to run it."""

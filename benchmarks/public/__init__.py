"""Benchmarks of the detector library on public data, which is never part of this repository."""

"""Measures speed and memory, as ratios: `make benchmark`, or `python -m benchmarks --quick`.

A missed goal is not a failure.
"""

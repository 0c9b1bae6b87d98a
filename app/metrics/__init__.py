"""Prometheus metrics: counters of this process, and gauges read from the database."""

"""Intresse: web forms of Swedish estate brokers, kept safe and forwarded to Vitec Connect."""

__version__ = "1.0.0"

"""Vitec's operations: one module each, and the registry of them all."""

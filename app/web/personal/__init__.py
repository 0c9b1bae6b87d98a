"""Signed personal links."""

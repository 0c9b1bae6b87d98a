"""Delivery of accepted submissions to Vitec."""

"""Counts by day, page views, campaigns and the dashboard's queries."""

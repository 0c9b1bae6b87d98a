"""Stored submissions: repository, listings, outcomes, backlog, cancellations, erasure and operator actions."""

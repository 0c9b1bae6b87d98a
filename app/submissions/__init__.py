"""Stored submissions: repository, listing, outcomes, backlog, operator actions."""

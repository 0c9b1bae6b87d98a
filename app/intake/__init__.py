"""Accepting submissions: rows, idempotency, group commit of posts."""

"""Statements and threads tuned by hand; each says what it buys, and can be deleted."""

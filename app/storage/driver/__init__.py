"""Statements and threads tuned by hand. Each says what it gains, and can be deleted."""

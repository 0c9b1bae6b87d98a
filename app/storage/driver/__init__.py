"""Statements and threads tuned by hand. Each module says what it gains, and can be deleted."""

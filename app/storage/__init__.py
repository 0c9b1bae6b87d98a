"""What was accepted, kept safe: SQLite or PostgreSQL through one schema."""

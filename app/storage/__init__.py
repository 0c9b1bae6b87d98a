"""Storage: SQLite or PostgreSQL through one schema."""

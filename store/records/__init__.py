"""Records: SQLite or PostgreSQL."""

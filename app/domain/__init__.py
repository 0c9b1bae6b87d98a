"""The domain model: pure, without I/O or framework."""

"""Access and erasure requests, retention, erasure log."""

"""What a Prometheus server is told: counts of this process, and what the database tells of the whole."""

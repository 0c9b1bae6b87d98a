"""The configuration: its tables and keys, secrets, and the loader, which reports all faults at once."""

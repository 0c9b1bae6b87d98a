"""The configuration: its tables and keys, secrets, and loading the file with all of its faults reported."""

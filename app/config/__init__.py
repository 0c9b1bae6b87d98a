"""The configuration: its tables and keys, secrets, and the file read with every fault told."""

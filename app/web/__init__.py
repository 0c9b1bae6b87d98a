"""The web: forms, JSON, receipts and the console."""

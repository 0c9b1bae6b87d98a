"""What the outside meets: forms, JSON, receipts."""

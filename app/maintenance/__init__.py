"""Backup, restore, move, key rotation and checks of the database."""

"""Lookups at Vitec on behalf of callers: contacts, and homes with their open times."""

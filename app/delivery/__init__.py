"""From what was accepted to what Vitec answered."""

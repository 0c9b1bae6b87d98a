"""Alarms to the operator: one message when an incident begins, and one when it ends."""

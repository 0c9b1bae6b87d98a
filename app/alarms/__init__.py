"""Alarms to the operator: one message when something goes wrong, and one when it is well again."""

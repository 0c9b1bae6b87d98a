"""Alarms: incidents, and the alerts by which the operator hears of each, once when it begins and once when it ends."""

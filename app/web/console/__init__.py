"""The operator's console: submissions that need attention, campaign statistics, and each customer's configuration and
embed code."""

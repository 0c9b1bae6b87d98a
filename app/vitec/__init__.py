"""The only code that knows Vitec Connect's HTTP."""

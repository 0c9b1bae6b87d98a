"""The client of Vitec Connect: the only package that knows its HTTP API."""

"""The demo: a fictitious broker's page and an in-process CRM."""

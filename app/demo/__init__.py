"""The demo: a made-up broker's page and an in-process CRM."""

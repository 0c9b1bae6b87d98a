"""Templates, page models, messages, theme and static files."""

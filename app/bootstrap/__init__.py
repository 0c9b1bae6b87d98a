"""The composition root: the only package that connects the configuration with the concrete parts."""

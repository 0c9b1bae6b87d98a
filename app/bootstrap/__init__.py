"""The composition root: the only place where the configuration and the concrete parts meet."""

"""The composition root: the only package where the configuration and the concrete parts meet."""

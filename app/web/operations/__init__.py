"""A public post from request to answer."""

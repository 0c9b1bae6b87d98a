"""Who runs the service hears when something is wrong, once, and when it is well again."""

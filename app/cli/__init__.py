"""The `intresse` commands, one module per group.

What a command works with is imported when it runs: `intresse --help` should not wait for the web.
"""

"""What `intresse …` can do, a module for each group of commands.

What a command works with is imported when it runs: `intresse --help` should not wait for the web.
"""

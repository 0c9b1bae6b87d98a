"""What `intresse …` can do, a module for each group of commands."""

"""The `intresse` commands, one module for each group. Commands import what they need when they run, so that `intresse
--help` is fast."""

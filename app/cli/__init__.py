"""The `intresse` commands, one module for each group. Commands import what they need when they run, so that `intresse
--help` is fast."""

import gc

# A start makes 200,000 objects that stay, and a post about a hundred, most of them freed at once. So collecting every
# 20,000 objects finds as much as every 700. It is set here, before the other modules are imported, for all commands.
gc.set_threshold(20_000, 20, 20)

"""Accepted leads against what the CRM received, while processes are killed, frozen and restarted.

The oracle is the list of submissions that were answered 202, and what the sandbox carried out. Nothing accepted may be
missing there; nothing may be there twice, but for a customer that wants what may have been carried out sent again.

    python -m tests.endurance --minutes 5        # `make soak`: on each database; docs/performance.md has its figures
"""

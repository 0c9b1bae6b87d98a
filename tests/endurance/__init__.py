"""Compares accepted leads with what the CRM received, while processes are killed, frozen and restarted.

The test knows which submissions were answered 202 and what the sandbox carried out. No accepted submission may be
missing there. None may be there twice, unless its customer has ambiguous calls sent again.

    python -m tests.endurance --minutes 5        # `make soak`, on each database; results: docs/performance.md
"""

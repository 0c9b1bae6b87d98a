"""Intresse: web forms of Swedish estate brokers, kept safe and forwarded to Vitec Connect."""

import sys

__version__ = "1.0.0"

# Both import rich where it is installed (typer brings it), for consoles that nothing of ours is shown on. Without it a
# process is 4 MB smaller.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # so an import of it fails, which both are prepared for
    import httpx  # noqa: F401
    import structlog  # noqa: F401

    del sys.modules["rich"]

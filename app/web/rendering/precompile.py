"""`python -m app.web.rendering.precompile` compiles the templates, as `python -m compileall` does modules: for an
image, whose file system is read-only where it runs."""

import sys

from app.web.rendering.templates import Templates


def precompile() -> None:
    """Compiles all templates, even if Python is set to write no bytecode."""
    sys.dont_write_bytecode = False
    Templates().load_all()


if __name__ == "__main__":
    precompile()

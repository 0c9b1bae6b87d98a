"""Folders of the files that are not code: templates, static files, translations.

In a checkout they stand at the top of the tree, beside the package; a wheel carries them within it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def resource_folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


STATIC = resource_folder("static")
TEMPLATES = resource_folder("templates")
LOCALE = resource_folder("locale")

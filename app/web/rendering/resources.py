"""Folders of resources: templates, static files and translations.

In a checkout they are next to the package, in an installed wheel inside it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def resource_folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


STATIC = resource_folder("static")
TEMPLATES = resource_folder("templates")
LOCALE = resource_folder("locale")

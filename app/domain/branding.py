"""The values allowed in a customer's theme."""

import re

ACCENT, RADIUS, FONT = "#0b5d4b", "6px", "system-ui"

# Fonts are written into a style element, so nothing that could end a declaration is allowed.
_FONT_NAME = r"(?:[A-Za-z][A-Za-z0-9 -]{0,39}|\"[A-Za-z0-9 -]{1,40}\"|'[A-Za-z0-9 -]{1,40}')"

COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", re.ASCII)
LENGTH = re.compile(r"0|[0-9]{1,3}(?:\.[0-9]{1,3})?(?:px|rem|em)", re.ASCII)
FONTS = re.compile(rf"{_FONT_NAME}(?:, ?{_FONT_NAME}){{0,5}}", re.ASCII)

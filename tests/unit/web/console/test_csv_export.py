"""A cell of the exported file is text, whatever it contains."""

import pytest

from app.web.console.submission_list import escape_formula


@pytest.mark.parametrize(
    "cell", ["=1+2", "+46701740605", "-2", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"]
)
def test_formulas_become_text(cell: str) -> None:
    assert escape_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "google", "vecka-48", "4F7K 9QXW", "2026-11-22T06:00:00+00:00"])
def test_other_values_are_left_unchanged(cell: str) -> None:
    assert escape_formula(cell) == cell

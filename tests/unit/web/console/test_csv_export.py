"""A cell of the exported file is text, whatever it contains."""

import csv

import pytest

from app.web.console.submission_list import escape_formula


@pytest.mark.parametrize(
    "cell", ["=1+2", "+46701740605", "-2", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"]
)
def test_formulas_become_text(cell: str) -> None:
    assert escape_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("formula", ["=cmd|'/c calc'!A0", "+1", " @SUM(A1)", "\uff1d1"])
def test_formulas_become_text_in_a_spreadsheet_that_separates_by_semicolons(formula: str) -> None:
    """Excel in Swedish, which finds the end of the first quoted cell only, as this reader does."""
    line = ",".join(f'"{escape_formula(cell)}"' for cell in ("4F7K 9QXW", f"a;{formula};b", f";{formula}"))
    cells = next(csv.reader([line], delimiter=";"))
    assert len(cells) == 4
    assert cells[1].startswith("'")
    assert cells[3].startswith("'")


@pytest.mark.parametrize("cell", ["", "a;b", "google", "vecka-48", "4F7K 9QXW", "2026-11-22T06:00:00+00:00"])
def test_other_values_are_left_unchanged(cell: str) -> None:
    assert escape_formula(cell) == cell

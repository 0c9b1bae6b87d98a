"""The cookies of a request, as browsers send them and as nobody should."""

import pytest

from app.web.http.cookies import cookies_of


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        (None, {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2 ;  c = 3 ", {"a": "1", "b": "2", "c": "3"}),
        ("a=1; a=2", {"a": "2"}),
        ('a="1; b=x=y==', {"a": '"1', "b": "x=y=="}),
    ],
)
def test_each_name_has_its_value(header: str | None, cookies: dict[str, str]) -> None:
    assert {name: value for name, value in cookies_of(header).items() if name} == cookies

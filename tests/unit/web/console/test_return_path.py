"""The path after signing in is always within the console."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.console.return_path import MAX_LENGTH, return_path

HOST = "https://leads.example.se"


@pytest.mark.parametrize(
    "address",
    [
        "/console",
        "/console?days=90&customer=M12345",
        "/console/submissions",
        "/console/submissions.csv?status=held",
        "/console/submissions?status=stuck&older=0198c0de-0000-7000-8000-000000000000",
        "/console/submissions/0198c0de-0000-7000-8000-000000000000/retry",
        "/console/customers/M12345/embed?form=viewing&accent=%23aa3366&title=Storgatan+1%2C+2+tr",
        "/console/homes/M12345/OBJ_1-a.b?days=7",
    ],
)
def test_every_page_of_the_console_can_be_returned_to(address: str) -> None:
    assert return_path(address) == address


LOOKALIKES = [
    "",
    "/",
    "console",
    "https://evil.example",
    "https://evil.example/console",
    "//evil.example",
    "//evil.example/console",
    "///evil.example/console",
    "/\\evil.example",
    "\\\\evil.example\\console",
    "/consoleX",
    "/console.evil.example",
    "/console@evil.example",
    "/console:443",
    "/Console",
    "/CONSOLE/submissions",
    "/forms/console",
    "/console/",
    "/console//evil.example",
    "/console//",
    "/console/../x",
    "/console/..",
    "/console/.",
    "/console/./submissions",
    "/console/submissions/../../x",
    "/console/submissions/..",
    "/console/...",
    "/console..",
    "/console/..;/x",
    "/console/%2e%2e/x",
    "/console/%2E%2E%2Fx",
    "/console%2f..%2fx",
    "/console%2F..",
    "/console/..%2fx",
    "/console/..%5cx",
    "/console/%252e%252e/x",
    "/console/%00",
    "/console/%0d%0aSet-Cookie:x=1",
    "/console\\..\\x",
    "/console/\\evil.example",
    "/console\\evil",
    "/console;evil",
    "/console#@evil.example",
    "/console?x#y",
    "/console?next=\\\\evil",
    "/console/\tx",
    "/\t/evil.example",
    "/console\n",
    "/console\r\nSet-Cookie: x=1",
    "\x00/console",
    "/console\x00",
    "/console\x7f",
    " /console",
    "/console ",
    "/console/\u2025/x",
    "/console\u2028",
    "/console\uff0f\uff0e\uff0e",
    "/con\u200bsole",
    "/console/åäö",
    "javascript:alert(1)",
    "data:text/html,x",
    "/console/submissions?" + "x" * MAX_LENGTH,
]


@pytest.mark.parametrize("address", LOOKALIKES, ids=ascii)
def test_any_other_path_leads_to_the_start_page(address: str) -> None:
    assert return_path(address) == "/console"


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.sampled_from(["", "/console", "/console/", "/console?"]))
def test_no_path_leads_a_browser_out_of_the_console(text: str, start: str) -> None:
    parts = urlsplit(urljoin(HOST + "/console/sign-in", return_path(start + text)))
    assert f"{parts.scheme}://{parts.netloc}" == HOST
    assert parts.path == "/console" or parts.path.startswith("/console/")
    assert ".." not in parts.path.split("/")


def test_search_terms_in_an_old_address_are_dropped() -> None:
    assert return_path("/console/submissions?q=anna%40example.se&status=held") == "/console/submissions?status=held"
    assert return_path("/console/submissions?q=070-123+45+67") == "/console/submissions"

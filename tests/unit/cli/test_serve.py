"""The address that the demo announces."""

import pytest

from app.cli.serve import local_url


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8000, "http://127.0.0.1:8000"),
        ("127.0.0.1", 80, "http://127.0.0.1"),  # as browsers write it; `public_url` takes it in no other form
        ("0.0.0.0", 8000, "http://127.0.0.1:8000"),
        ("::", 8000, "http://[::1]:8000"),
        ("localhost", 8000, "http://127.0.0.1:8000"),
        ("192.168.1.5", 8000, "http://192.168.1.5:8000"),
        ("::1", 8000, "http://[::1]:8000"),
    ],
)
def test_the_announced_address_can_be_opened(host: str, port: int, url: str) -> None:
    assert local_url(host, port) == url

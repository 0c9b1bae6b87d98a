"""The service answers requests that schemathesis generates from the OpenAPI document as the document describes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from app.bootstrap.web_app import create_app
from app.web.api_docs.openapi import describe
from tests.acceptance.bodies import CUSTOMER, SITE, booking, key, viewing_path
from tests.acceptance.running_service import RunningService, run_service, settings
from tests.acceptance.test_personal_pages import CUSTOMERS, known, link_to

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 20  # of each operation, in each way
LABELS = [f"{method.upper()} {path}" for path, methods in describe()["paths"].items() for method in methods]
# Where nothing can be sent, nothing wrong can be.
WAYS = [(label, mode) for label in LABELS for mode in GenerationMode if mode is GenerationMode.POSITIVE or "{" in label]


@pytest.fixture(scope="module")
def operations() -> Mapping[str, Any]:
    """By label. Not made at import, because it takes a second in each process that collects tests."""
    schema = schemathesis.openapi.from_dict(describe())
    found = [operation.ok() for operation in schema.get_all_operations() if isinstance(operation, Ok)]
    return {operation.label: operation for operation in found}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with run_service(
        tmp_path_factory.mktemp("openapi"), delivery={"wait_seconds": 0.05}, customers=CUSTOMERS
    ) as service:
        yield service


NOT_DESCRIBED = {"/openapi.json", "/docs", "/static/{name}"}  # the description itself, and what pages are made of
SLOT = "SLOT1@2099-01-01T13:00:00+01:00/2099-01-01T13:15:00+01:00"


@pytest.fixture(scope="module")
def links(service: RunningService) -> Mapping[str, Mapping[str, str]]:
    """By path, the links that open addresses with a secret."""
    waits = {"Prefer": "respond-async", **SITE}
    status = service.client.post(viewing_path(), json=booking(), headers=waits).json()["statusUrl"]
    form = {
        "firstName": "Anna",
        "lastName": "Ek",
        "email.emailAddress": "anna@example.se",
        "consent": "on",
        "slot": "SLOT1",
    }
    booked = service.client.post(viewing_path(), params={"slots": SLOT}, data=form, headers=SITE).headers["location"]
    return {
        "/personal/{token}": {"token": link_to(known(service)).rpartition("/")[2]},
        "/submissions/{id}": _opening(status),
        "/receipts/{id}": _opening(booked),
        "/receipts/{id}/viewing.ics": _opening(booked),
    }


def _opening(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {"id": parts.path.rpartition("/")[2], **dict(parse_qsl(parts.query))}


def test_every_address_is_described_with_its_methods(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path, "http://127.0.0.1:1"))
    routes: dict[str, set[str]] = {}
    for route in app.routes:
        if isinstance(route, Route):
            routes.setdefault(route.path, set()).update(set(route.methods or ()) - {"HEAD", "OPTIONS"})
    described = {path: set(map(str.upper, methods)) for path, methods in describe()["paths"].items()}
    assert described == {path: methods for path, methods in routes.items() if not _is_ours_alone(path)}


def _is_ours_alone(path: str) -> bool:
    return path in NOT_DESCRIBED or path.startswith("/docs/")


def test_every_operation_is_tried(operations: Mapping[str, Any]) -> None:
    assert sorted(operations) == sorted(LABELS)


@pytest.mark.parametrize(("operation", "mode"), WAYS)
def test_every_operation_answers_as_it_is_described(
    service: RunningService,
    operations: Mapping[str, Any],
    links: Mapping[str, Mapping[str, str]],
    operation: str,
    mode: GenerationMode,
) -> None:
    """Both for requests that fit the document and for those that don't."""
    tried = operations[operation]
    public = tried.definition.raw.get("security", [{}])[0] == {}

    @trying(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(tried.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        if "customer_id" in case.path_parameters:
            case.path_parameters["customer_id"] = CUSTOMER  # any other is 404, which says little
        if mode is GenerationMode.POSITIVE:
            opening = dict(links.get(tried.path, {}))
            case.path_parameters |= {name: opening.pop(name) for name in ("id", "token") if name in opening}
            case.query |= opening
        headers = SITE if public else key(CUSTOMER)
        case.call_and_validate(base_url=service.url, headers=headers, checks=CHECKS, timeout=10)

    each()

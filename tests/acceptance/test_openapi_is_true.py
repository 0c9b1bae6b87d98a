"""The OpenAPI document against the service that it describes: what schemathesis makes of it is answered as it says."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.web.openapi import describe
from tests.acceptance.bodies import CUSTOMER, SITE, Desk, key, open_desk

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 30  # of each operation, in each way
SCHEMA = schemathesis.openapi.from_dict(describe())
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)}
# Where nothing can be sent, nothing wrong can be.
WAYS = [
    (label, mode) for label in OPERATIONS for mode in GenerationMode if mode is GenerationMode.POSITIVE or "{" in label
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("openapi"), delivery={"wait_seconds": 0.2}) as desk:
        yield desk


def test_every_operation_is_tried() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in describe()["paths"].values())


@pytest.mark.parametrize(("operation", "mode"), WAYS)
def test_every_operation_answers_as_it_is_described(desk: Desk, operation: str, mode: GenerationMode) -> None:
    """What fits the document and what does not alike."""
    tried = OPERATIONS[operation]
    public = tried.definition.raw.get("security", [{}])[0] == {}

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(tried.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        if "customer_id" in case.path_parameters:
            case.path_parameters["customer_id"] = CUSTOMER  # any other is 404, which says little
        headers = SITE if public else key(CUSTOMER)
        case.call_and_validate(base_url=desk.url, headers=headers, checks=CHECKS, timeout=10)

    each()

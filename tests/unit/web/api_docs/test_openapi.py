"""The OpenAPI document describes every operation, including the plain routes that FastAPI does not know."""

from typing import Any

import pytest

from app.operations.registry import POSTS
from app.web.api_docs.openapi import describe


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe()


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known


def test_maximum_lengths_are_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Interest"]["properties"]["firstName"] == {
        "maxLength": 30,
        "minLength": 1,
        "type": "string",
        "title": "Firstname",
    }


def test_only_public_operations_are_described_as_needing_no_key(document: dict[str, Any]) -> None:
    open_to_all = {
        path for path, methods in document["paths"].items() if {} in methods.get("post", {}).get("security", [])
    }
    assert open_to_all == {"/personal/{token}", *(path for post in POSTS if post.form for path in post.post_paths)}


def test_a_personal_links_schema_has_only_members_that_its_holder_may_set(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["Personal"]["properties"]
    assert set(properties) == {"message", "marketing", "bank", "validUntil", "estateType", "financing"}


def test_the_operations_are_described_at_vitecs_own_paths() -> None:
    assert {
        "/Advertising/Estate/{customerId}/{estateId}/interest",
        "/Viewing/{customerId}/{viewingId}/{timeSlotId}/Participant",
        "/forms/{customerId}/interest/{estateId}",
        "/forms/{customerId}/viewing/{viewingId}/{timeSlotId}",
        "/CRM/Lead/{customerId}",
        "/CRM/Contact/{customerId}/{contactIds}",
        "/CRM/Buyer/{customerId}/{contactId}/LoanPromise",
        "/personal/{token}",
        "/submissions/{id}",
    } <= describe()["paths"].keys()


def test_every_operation_has_a_tag_and_a_description(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert set(operation["tags"]) <= tags, (method, path)
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)


def test_every_post_of_json_has_an_example(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        if "requestBody" in methods.get("post", {}):
            assert methods["post"]["requestBody"]["content"]["application/json"]["example"], path

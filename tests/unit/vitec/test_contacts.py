"""Contacts are read tolerantly; `type` says which of three kinds each one is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vitec.contacts import Company, Contact, DeceasedEstate, Person, read_contacts

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
known = st.sampled_from(
    ["type", "id", "customerId", "agentId", "firstName", "lastName", "isDeceased", "isCompanyPerson", "name", "note"]
)
contacts = st.dictionaries(known | st.text(max_size=8), values | st.sampled_from(["Person", "Company"]), max_size=8)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("Person", Person),
        ("person", Person),
        ("Company", Company),
        ("DeceasedEstate", DeceasedEstate),
        ("deceased_estate", DeceasedEstate),
        ("Deceased Estate", DeceasedEstate),
        ("Household", Contact),
        ("", Contact),
        (None, Contact),
        (5, Contact),
        (["Person"], Contact),
    ],
)
def test_the_type_decides_the_kind_and_an_unknown_one_has_only_the_common_members(type_: Any, kind: type) -> None:
    [contact] = read_contacts([{"type": type_, "id": "C1", "agentId": "A1", "name": "Ek", "firstName": "Anna"}])
    assert type(contact) is kind
    assert (contact.id, contact.agent_id) == ("C1", "A1")


@pytest.mark.parametrize(
    ("contact", "name"),
    [
        ({"type": "Person", "firstName": "Anna"}, "Anna"),
        ({"type": "Person", "firstName": "Anna", "isDeceased": False}, "Anna"),
        ({"type": "Person", "firstName": "Anna", "isDeceased": True}, None),
        ({"type": "Person"}, None),
        ({"type": "Person", "firstName": " "}, None),
        ({"type": "Company", "name": "Ek AB", "firstName": "Anna"}, None),
        ({"type": "DeceasedEstate", "name": "Ek", "firstName": "Anna"}, None),
        ({"type": "Household", "firstName": "Anna"}, None),
        ({"firstName": "Anna"}, None),
    ],
)
def test_only_a_living_person_is_greeted(contact: dict[str, Any], name: str | None) -> None:
    [read] = read_contacts([contact])
    assert read.greeting == name


@pytest.mark.parametrize("dead", ["true", 1])
def test_a_person_who_may_be_deceased_is_not_greeted(dead: Any) -> None:
    [read] = read_contacts([{"type": "Person", "firstName": "Anna", "isDeceased": dead}])
    assert read.greeting is None


@pytest.mark.parametrize("answer", [None, {}, "C1", 5, [1], [None], ["C1"], [[]], [{}, 1]])
def test_anything_but_a_list_of_objects_is_a_value_error(answer: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_contacts(answer)


@settings(max_examples=300, deadline=None)
@given(answer=st.lists(contacts, max_size=3))
def test_members_of_any_type_and_name_never_break_it_and_each_contact_is_read(answer: list[dict[str, Any]]) -> None:
    read = read_contacts(answer)
    assert len(read) == len(answer)
    for contact, came in zip(read, answer, strict=True):
        assert contact.members == came
        assert isinstance(contact.greeting, str | None)
        assert isinstance(contact.agent_id, str | None)

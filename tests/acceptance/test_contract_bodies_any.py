"""Request bodies: random ones are either refused or accepted by Vitec too."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.bodies import (
    CUSTOMER,
    FORM,
    JSON,
    SITE,
    WHOLE_INTEREST,
    faults_of,
    fields,
    interest,
    interest_path,
    key,
    with_member,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import INTEREST_MEMBERS

MULTIPART_X = {"Content-Type": "multipart/form-data; boundary=x"}
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code in {400, 413, 415}


@FUZZ
@given(body=st.binary(max_size=300), content_type=st.sampled_from([JSON, FORM, MULTIPART_X]))
def test_random_bytes_are_refused(service: RunningService, body: bytes, content_type: dict[str, str]) -> None:
    assert refused(service.client.post(interest_path(), content=body, headers=SITE | content_type))


@FUZZ
@given(name=st.sampled_from(INTEREST_MEMBERS), value=ANY_JSON)
def test_random_json_in_a_member_is_accepted_by_vitec_too_or_refused(
    service: RunningService, name: str, value: Any
) -> None:
    path = interest_path()
    content = json.dumps(with_member(interest(), name, value))
    answer = service.client.post(path, content=content, headers=key() | JSON)
    if answer.status_code == 200:
        assert service.delivered(path)
    else:
        assert faults_of(answer)


@FUZZ
@given(
    typed=st.dictionaries(
        st.sampled_from([*fields(WHOLE_INTEREST), "token", "ticks", "utm_source", "gdprApprovalDate"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        max_size=5,
    )
)
def test_random_text_in_a_form_is_kept_or_accepted(service: RunningService, typed: dict[str, str]) -> None:
    path = interest_path(CUSTOMER)
    answer = service.client.post(path, data=fields(interest()) | typed, headers=SITE)
    if answer.status_code == 303:
        assert service.delivered(path)
    else:
        assert answer.status_code == 400
        kept = page_of(answer).values
        shown = {n: v for n, v in typed.items() if n in kept and n not in {"token", "ticks", "status", "consent"}}
        for name, value in shown.items():
            if value.strip() and "estateType" not in name:
                assert normal(kept[name]) == normal(value), name


def normal(text: str) -> str:
    """The text as HTML keeps it: without what a page can't contain, and with uniform line breaks."""
    return "".join(text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").split("\ufffd"))

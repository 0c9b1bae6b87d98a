"""Every key of the configuration: its default, and the values that it refuses."""

import base64
import math
from functools import reduce
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.config.settings import Settings
from app.operations.lead import LeadDefaults

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
SMALLEST: dict[str, Any] = {
    "secret_key": "sixteen letters!",
    "encryption_keys": KEY,
    "database_url": "sqlite:///data/intresse.db",
    "public_url": "https://leads.example.se",
    "vitec": {"base_url": "https://connect.maklare.vitec.net", "username": "partner"},
    "customers": [{"id": "M12345", "name": "Mäklarhuset", "password": "secret"}],
}
LEAD = {"lead_source_id": "LS1", "assigned_to_id": "U1"}


def settings_with(path: str = "", value: Any = None) -> Settings:
    """The smallest configuration with `value` at the dotted path; `customer.` stands for the first customer's table."""
    return Settings.model_validate(_changed(SMALLEST, path.split("."), value) if path else SMALLEST)


def _changed(table: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    head, *rest = path
    if head == "customer":
        return table | {"customers": [_changed(table["customers"][0], rest, value)]}
    if not rest:
        return table | {head: value}
    return table | {head: _changed(table.get(head, {}), rest, value)}


def at(settings: Settings, path: str) -> Any:
    names = path.replace("customer.", "customers.0.").split(".")
    return reduce(_member, names, settings)


def _member(settings: Any, name: str) -> Any:
    return settings[int(name)] if name.isdigit() else getattr(settings, name)


DEFAULTS: dict[str, Any] = {
    "trusted_proxies": [],
    "console_password": None,
    "metrics_token": None,
    "vitec.timeout_seconds": 30,
    "vitec.concurrency": 8,
    "vitec.concurrency_per_customer": 2,
    "vitec.requests_per_second": 10,
    "vitec.paused_probe_seconds": 300,
    "delivery.retry_seconds": [10, 30, 120, 600, 1800, 3600],
    "delivery.give_up_hours": 96,
    "delivery.lease_seconds": 60,
    "delivery.wait_seconds": 5,
    "retention.delivered_days": 30,
    "retention.held_days": 30,
    "retention.undelivered_days": 90,
    "retention.erasure_log": None,  # beside the database
    "customer.crm_password": None,  # the password
    "customer.allowed_origins": [],
    "customer.api_key_hashes": [],
    "customer.privacy_url": None,
    "customer.phone": None,
    "customer.email": None,
    "customer.language": "sv",
    "customer.rate_limit": "20/minute",
    "customer.rate_limit_person": "30/day",
    "customer.collect_personnummer": False,
    "customer.on_ambiguous": "retry",
    "customer.interest.lead_source_id": None,
    "customer.interest.assignment_source_id": None,
    "customer.interest.status": "Interested",
    "customer.interest.marketing": "inline",
    "customer.viewing.lead_source_id": None,
    "customer.viewing.reminder_minutes": 60,
    "customer.viewing.sms_reminder": True,
    "customer.viewing.mail_confirmation": True,
    "customer.viewing.sms_confirmation": False,
    "customer.viewing.validate_deadline": True,
    "customer.viewing.validate_booking_limit": True,
    "customer.lead": None,  # off
    "customer.theme.accent": "#0b5d4b",
    "customer.theme.radius": "6px",
    "customer.theme.font": "system-ui",
}


@pytest.mark.parametrize("path", DEFAULTS)
def test_a_key_that_is_left_out_has_its_documented_default(path: str) -> None:
    assert at(settings_with(), path) == DEFAULTS[path]


def test_a_lead_is_made_of_marketing_alone_by_default() -> None:
    lead = settings_with("customer.lead", LEAD).customers[0].lead
    assert lead is not None
    assert lead.model_dump(exclude=set(LEAD)) == {
        "when": "marketing",
        "fallback_assigned_to_id": None,
        "office_id": None,
        "assignment_source_id": None,
    }


@pytest.mark.parametrize(
    "path",
    [
        "secret_key",
        "encryption_keys",
        "database_url",
        "public_url",
        "vitec.base_url",
        "vitec.username",
        "customers",
        "customer.id",
        "customer.name",
        "customer.password",
    ],
)
def test_a_required_key_has_no_default(path: str) -> None:
    table: dict[str, Any] = SMALLEST | {"vitec": dict(SMALLEST["vitec"]), "customers": [dict(SMALLEST["customers"][0])]}
    *above, name = path.replace("customer.", "customers.0.").split(".")
    parent: Any = table
    for part in above:
        parent = parent[int(part)] if part.isdigit() else parent[part]
    del parent[name]
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(table)
    assert [(".".join(map(str, e["loc"])), e["type"]) for e in refused.value.errors()] == [
        (".".join([*above, name]), "missing")
    ]


@pytest.mark.parametrize("path", ["lead", "customer.lead.assigned_to_id", "customer.lead.lead_source_id"])
def test_a_lead_needs_a_source_and_somebody_to_get_it(path: str) -> None:
    lead = {key: value for key, value in LEAD.items() if not path.endswith(key)} if "." in path else {}
    with pytest.raises(ValidationError, match=r"customers\.0\.lead"):
        settings_with("customer.lead", lead)


GOOD = [
    ("database_url", "postgresql://user:pass@host/db"),
    ("public_url", "http://127.0.0.1:8000"),
    ("public_url", "https://leads.example.se:8443"),
    ("trusted_proxies", ["127.0.0.1", "10.0.0.0/8", "::1"]),
    ("encryption_keys", f"{KEY},{KEY.rstrip('=')} , {KEY}"),
    ("vitec.base_url", "http://127.0.0.1:8001"),
    ("vitec.base_url", "http://localhost:8001/"),
    ("vitec.timeout_seconds", 0.5),
    ("delivery.retry_seconds", [1]),
    ("delivery.retry_seconds", [0.5, 2]),
    ("delivery.lease_seconds", 1),
    ("delivery.wait_seconds", 0),
    ("customer.id", "M-1_2.3"),
    ("customer.allowed_origins", ["https://www.maklarhuset.se", "https://*.maklarhuset.se", "http://localhost:3000"]),
    ("customer.api_key_hashes", ["0123456789abcdef" * 4]),
    ("customer.privacy_url", "https://www.maklarhuset.se/integritet?a=b#c"),
    ("customer.language", "en"),
    ("customer.rate_limit", "5/hour"),
    ("customer.on_ambiguous", "park"),
    ("customer.interest.status", "VeryInterested"),
    ("customer.viewing.reminder_minutes", 1),
    ("customer.lead", {**LEAD, "assigned_to_id": "contact-agent", "fallback_assigned_to_id": "U2"}),
    ("customer.theme.accent", "#fff"),
    ("customer.theme.radius", "0"),
    ("customer.theme.radius", "0.5rem"),
    ("customer.theme.font", "'Open Sans', Arial, sans-serif"),
]


@pytest.mark.parametrize(("path", "value"), GOOD)
def test_a_valid_value_is_accepted(path: str, value: Any) -> None:
    found = at(settings_with(path, value), path)
    plain = found.get_secret_value() if isinstance(found, SecretStr) else found
    if isinstance(plain, LeadDefaults):
        plain = plain.model_dump(include=set(value))
    expected = {
        "encryption_keys": [bytes(range(32))] * 3,
        "vitec.base_url": str(value).rstrip("/"),
    }.get(path, value)
    assert plain == expected


BAD = [
    ("secret_key", "fifteen letters"),
    ("secret_key", ""),
    ("secret_key", 16),
    ("encryption_keys", ""),
    ("encryption_keys", "c2hvcnQ="),
    ("encryption_keys", f"{KEY},"),
    ("encryption_keys", [KEY]),
    ("encryption_keys", KEY.replace("A", "å")),
    ("database_url", "mysql://host/db"),
    ("database_url", "sqlite://"),
    ("database_url", "sqlite:///"),  # in memory
    ("database_url", "sqlite:///:memory:"),
    ("database_url", "sqlite:///data/intresse.db?mode=rw"),
    ("database_url", "postgresql://intresse:pass@word@host/db"),
    ("database_url", "postgresql://intresse@host:port/db"),
    ("database_url", "postgresql://intresse@host:99999/db"),
    ("database_url", "postgresql://[::1/db"),
    ("public_url", "HTTPS://leads.example.se"),
    ("public_url", "https://leads .example.se"),
    ("public_url", "https://leads.example.se\n"),
    ("public_url", "https://leads.example.se?"),
    ("public_url", "https://leads..example.se"),
    ("public_url", "https://mäklare.se"),
    ("public_url", "https://192.0.2.999"),
    ("public_url", f"https://{'x' * 64}.se"),
    ("vitec.base_url", "https://1.2.3"),
    ("customer.privacy_url", "https://www..maklarhuset.se/"),
    ("vitec.base_url", "https://connect maklare.vitec.net"),
    ("vitec.username", "  "),
    ("vitec.username", "partner:x"),
    ("customer.name", "  "),
    ("customer.name", "Mäklar\nhuset"),
    ("customer.phone", ""),
    ("customer.email", "info"),
    ("customer.email", "info @maklarhuset.se"),
    ("customer.privacy_url", "https://www.maklarhuset.se/integri tet"),
    ("customer.privacy_url", "https://www.maklarhuset.se:port/"),
    ("customer.privacy_url", "https://www.maklarhuset.se:0/"),
    ("customer.allowed_origins", ["https://www.maklarhuset.se:0"]),
    ("customer.allowed_origins", ["https://www.maklarhuset.se:99999"]),
    ("customer.allowed_origins", ["https://www.maklarhuset.se:08443"]),
    ("encryption_keys", KEY[:20] + "!!!" + KEY[20:]),  # damaged: the rest of it would be a key
    ("public_url", "leads.example.se"),
    ("public_url", "https://leads.example.se/intresse"),
    ("public_url", "https://leads.example.se?x=1"),
    ("public_url", "https://user@leads.example.se"),
    ("public_url", "https://[leads"),
    ("public_url", "https://leads.example.se:99999"),
    ("public_url", "https://leads.example.se:0"),
    ("public_url", "https://leads.example.se:443"),
    ("public_url", "http://leads.example.se:80"),
    ("public_url", "https://Leads.example.se"),
    ("vitec.base_url", "https://connect.maklare.vitec.net:99999"),
    ("trusted_proxies", ["proxy"]),
    ("trusted_proxies", "127.0.0.1"),
    ("console_password", ""),
    ("metrics_token", ""),
    ("vitec.base_url", "http://connect.maklare.vitec.net"),
    ("vitec.username", ""),
    ("vitec.timeout_seconds", 0),
    ("vitec.timeout_seconds", 301),
    ("vitec.timeout_seconds", "30"),
    ("vitec.timeout_seconds", math.nan),
    ("vitec.concurrency", 0),
    ("vitec.concurrency", 1.5),
    ("vitec.concurrency", True),
    ("vitec.concurrency", 1001),
    ("vitec.concurrency_per_customer", 0),
    ("vitec.concurrency_per_customer", 1001),
    ("vitec.requests_per_second", 0),
    ("vitec.paused_probe_seconds", 0),
    ("delivery.retry_seconds", []),
    ("delivery.retry_seconds", [0]),
    ("delivery.retry_seconds", ["10"]),
    ("delivery.retry_seconds", 10),
    ("delivery.give_up_hours", 0),
    ("delivery.lease_seconds", 0),
    ("delivery.wait_seconds", -1),
    ("delivery.wait_seconds", 61),
    ("retention.delivered_days", 0),
    ("retention.held_days", -1),
    ("customers", []),
    ("customers", {}),
    ("customer.id", ""),
    ("customer.id", ".."),
    ("customer.id", "M/1"),
    ("customer.id", "M" * 41),
    ("customer.id", 12345),
    ("customer.name", ""),
    ("customer.password", ""),
    ("customer.allowed_origins", ["www.maklarhuset.se"]),
    ("customer.allowed_origins", ["https://www.maklarhuset.se/"]),
    ("customer.allowed_origins", ["https://*"]),
    ("customer.allowed_origins", ["https://www.*.se"]),
    ("customer.allowed_origins", ["*"]),
    ("customer.allowed_origins", ["https://www.maklarhuset.se:443"]),
    ("customer.allowed_origins", ["http://www.maklarhuset.se:80"]),
    ("customer.api_key_hashes", ["a key and no hash"]),
    ("customer.privacy_url", "javascript:alert(1)"),
    ("customer.privacy_url", "/integritet"),
    ("customer.language", "svenska"),
    ("customer.language", "de"),  # there are no texts in it
    ("customer.rate_limit", "often"),
    ("customer.rate_limit", "0/minute"),
    ("customer.rate_limit", "20/minute; 100/hour"),
    ("customer.rate_limit_person", "30"),
    ("customer.collect_personnummer", "yes"),
    ("customer.on_ambiguous", "drop"),
    ("customer.interest.status", "Assigned"),
    ("customer.interest.marketing", "none"),
    ("customer.interest.lead_source_id", ""),
    ("customer.viewing.reminder_minutes", 0),
    ("customer.viewing.reminder_minutes", 43_201),
    ("customer.viewing.sms_reminder", 1),
    ("customer.lead", {**LEAD, "when": "never"}),
    ("customer.lead", {**LEAD, "assigned_to_id": "contact-agent"}),
    ("customer.theme.accent", "green"),
    ("customer.theme.accent", "#0b5d4b; } body { display: none"),
    ("customer.theme.radius", "6"),
    ("customer.theme.font", '"Open Sans'),
    ("customer.theme.font", "x, url(evil)"),
    ("customer.theme.font", "x; } body { display: none"),
    ("typo", 1),
    ("vitec.typo", 1),
    ("customer.typo", 1),
    ("customer.viewing.typo", 1),
    ("customer.theme.typo", 1),
]


@pytest.mark.parametrize(("path", "value"), BAD)
def test_a_bad_value_and_an_unknown_key_are_refused_at_their_key(path: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        settings_with(path, value)
    named = path.replace("customer.", "customers.0.")
    assert all(".".join(map(str, error["loc"])).startswith(named) for error in refused.value.errors())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("delivery.give_up_hours", math.inf),
        ("delivery.give_up_hours", 1e12),
        ("delivery.retry_seconds", [10**15]),
        ("delivery.lease_seconds", 10**15),
        ("vitec.paused_probe_seconds", 10**15),
        ("retention.undelivered_days", 10**10),
    ],
)
def test_a_time_that_no_clock_can_count_is_refused(path: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        settings_with(path, value)


def test_marketing_that_goes_into_a_lead_needs_the_leads_table() -> None:
    with pytest.raises(ValidationError, match=r"needs the table customers\.lead"):
        settings_with("customer.interest.marketing", "lead")
    customer = SMALLEST["customers"][0] | {"interest": {"marketing": "lead"}, "lead": LEAD}
    assert settings_with("customers", [customer]).customers[0].interest.marketing == "lead"


def test_a_customer_id_may_appear_only_once() -> None:
    customer = SMALLEST["customers"][0]
    with pytest.raises(ValidationError, match="customers: the id M12345 appears twice"):
        settings_with("customers", [customer, customer])


def test_no_secret_is_shown_when_the_settings_are_printed() -> None:
    settings = settings_with("customer.password", "hemligt")
    for shown in (repr(settings), str(settings)):
        assert "M12345" in shown
        for secret in ("hemligt", SMALLEST["secret_key"], "data/intresse.db", str(bytes(range(32)))[2:20]):
            assert secret not in shown

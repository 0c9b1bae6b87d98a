"""`[alarms]` and `[customers.lead_mail]`: valid values, and those that stop the start."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.config.settings import AlarmsSettings
from tests.unit.config.test_settings import settings_with

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
WEBHOOK = {"webhook_url": "https://example.se/hook", "webhook_secret": SECRET}
MAIL = {"smtp_url": "smtps://user:p%40ss@mail.example.se:465", "mail_from": "intresse@example.se"}
LEAD_MAIL = {"to": "info@maklarhuset.se"}


def test_nobody_is_alerted_by_default() -> None:
    alarms = settings_with().alarms
    assert (alarms.webhook_url, alarms.smtp_url, alarms.mail_to) == (None, None, [])
    assert (alarms.language, alarms.oldest_minutes) == ("sv", 60)


@pytest.mark.parametrize(
    "table",
    [
        WEBHOOK,
        WEBHOOK | {"webhook_secret": SECRET.removeprefix("whsec_")},
        MAIL | {"mail_to": ["drift@example.se"]},
        MAIL | {"smtp_url": "smtp://mail.example.se"},
        WEBHOOK | MAIL | {"language": "en", "oldest_minutes": 5},
    ],
)
def test_valid_alarm_settings_are_accepted(table: dict[str, Any]) -> None:
    assert settings_with("alarms", table).alarms == AlarmsSettings.model_validate(table)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"webhook_url": WEBHOOK["webhook_url"]}, "webhook_url needs webhook_secret"),
        ({"smtp_url": MAIL["smtp_url"]}, "smtp_url needs mail_from"),
        ({"mail_to": ["drift@example.se"]}, "mail_to needs smtp_url"),
        (WEBHOOK | {"webhook_url": "ftp://example.se"}, "is not an http"),
        (WEBHOOK | {"webhook_secret": "whsec_c2hvcnQ="}, "must be 24 bytes or more in base64"),
        (WEBHOOK | {"webhook_secret": "not base64 at all, but long enough"}, "must be 24 bytes or more in base64"),
        (MAIL | {"smtp_url": "mail.example.se"}, "must be smtp:// or smtps://"),
        (MAIL | {"smtp_url": "smtp://mail.example.se:70000"}, "[Pp]ort"),
        (MAIL | {"smtp_url": "smtp://mail..example.se"}, "is not a host"),
        (MAIL | {"mail_from": "Intresse <intresse@example.se>"}, "is not an e-mail address"),
        (MAIL | {"mail_to": ["drift@example.se\nBcc: all@example.se"]}, "is not an e-mail address"),
        ({"oldest_minutes": 0}, "greater than or equal to 1"),
    ],
)
def test_invalid_alarm_settings_stop_the_start(table: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        settings_with("alarms", table)


def test_no_secret_is_repeated_where_it_is_wrong() -> None:
    with pytest.raises(ValidationError) as error:
        settings_with("alarms", MAIL | {"smtp_url": "http://user:hemligt@mail.example.se"})
    assert "hemligt" not in str(error.value.errors(include_url=False, include_input=False))


def test_leads_are_mailed_where_there_is_a_mail_server_to_do_it() -> None:
    with pytest.raises(ValidationError, match=r"customers\.lead_mail needs alarms\.smtp_url"):
        settings_with("customer.lead_mail", LEAD_MAIL)

"""The demo: a fictitious office, with the sandbox in the same process instead of Vitec. Opt-in only."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from starlette.applications import Starlette

from app.bootstrap.customer_mapping import firm_of
from app.bootstrap.personal_link import make_link
from app.bootstrap.web_app import create_app
from app.config.settings import Settings
from app.demo.page import MOODS, DemoDependencies, demo_routes
from app.operations.registry import PERSONAL_POSTS
from app.sandbox import Fault, Office, demo_office, serve_sandbox
from app.web.operations.slots import Slot
from app.web.rendering.templates import Templates

CUSTOMER = "M00000"
ESTATE = "OBJ1"
SOLD = "OBJ2"
CONTACT = "C1"
DATABASE = "sqlite:///data/demo.db"
# Public, and used for nothing else. They are fixed so that a restarted demo can read what it stored.
SECRET = "intresse demo: nothing here is real"  # noqa: S105
ENCRYPTION_KEY = "ZGVtby1kZW1vLWRlbW8tZGVtby1kZW1vLWRlbW8tMDA="


@dataclass(frozen=True)
class Demo:
    settings: Settings
    office: Office


@contextlib.contextmanager
def demo(public_url: str, api_key: str, database_url: str = DATABASE) -> Iterator[Demo]:
    """The sandbox listens on its own port for the duration of the context, so that calls are real HTTP."""
    office = demo_office()
    with serve_sandbox(office) as vitec_url:
        yield Demo(demo_settings(public_url, vitec_url, api_key, database_url), office)


def demo_settings(public_url: str, vitec_url: str, api_key: str, database_url: str) -> Settings:
    return Settings.model_validate(
        {
            "secret_key": SECRET,
            "encryption_keys": ENCRYPTION_KEY,
            "database_url": database_url,
            "public_url": public_url,
            "console_password": "demo",
            "vitec": {"base_url": vitec_url, "username": "partner", "paused_probe_seconds": 5},
            "delivery": {"retry_seconds": [3, 5, 10]},  # somebody is watching
            "customers": [
                {
                    "id": CUSTOMER,
                    "name": "Mäklarhuset Ankeborg",
                    "password": "demo",
                    "crm_password": "demo-crm",
                    "api_key_hashes": [sha256(api_key.encode()).hexdigest()],
                    "privacy_url": f"{public_url}/#integritet",
                    "phone": "08-123 456 78",
                    "email": "info@example.se",
                    "rate_limit": "1000/minute",
                    "rate_limit_person": "1000/day",  # whoever tries the demo is always the same person
                    "viewing": {"cancel": True},
                    "valuation": {},
                    "final_price": {},
                    "lead": {
                        "lead_source_id": "KAMPANJ",
                        "assigned_to_id": "contact-agent",
                        "fallback_assigned_to_id": "A1",
                    },
                }
            ],
        }
    )


def demo_app(demo: Demo, *, deliver: bool = True) -> Starlette:
    """The service, with the fictitious broker's page at `/`."""
    templates = Templates()
    routes = demo_routes(_dependencies(demo), templates)
    return create_app(demo.settings, demo=True, deliver=deliver, templates=templates, extra_routes=routes)


def _dependencies(demo: Demo) -> DemoDependencies:
    contested = next(slot for slot in (demo.office.slots or {}).values() if slot.contested)
    assert contested.starts_at
    assert contested.ends_at

    def set_mood(name: str) -> None:
        demo.office.clear_faults()
        fault = MOODS[name][1]
        if fault is not None:
            demo.office.inject(Fault(**fault))

    return DemoDependencies(
        firm=firm_of(demo.settings.customers[0]),
        customer_id=CUSTOMER,
        estate_id=ESTATE,
        sold_id=SOLD,
        contested=Slot.in_sweden("", contested.starts_at, contested.ends_at),
        personal={form: make_link(demo.settings, CUSTOMER, CONTACT, form, "1d") for form in PERSONAL_POSTS},
        received=lambda: demo.office.received,
        set_mood=set_mood,
    )

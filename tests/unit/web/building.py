"""What the web's tests share: a customer as the web side needs it."""

from hashlib import sha256

import limits

from app.domain.filling import InterestDefaults, ViewingDefaults
from app.domain.plan import Defaults
from app.web.customers import Customer
from app.web.pages import Firm

CUSTOMER = Customer(
    id="M12345",
    firm=Firm("Mäklarhuset", None, None, None, accent="#0b5d4b", radius="6px", font="system-ui"),
    language="sv",
    origins=("https://www.maklarhuset.se", "https://*.broker.example.se", "http://localhost:3000"),
    key_hashes=(sha256(b"first").hexdigest(), sha256("andra å".encode()).hexdigest()),
    rate=limits.parse("2/minute"),
    person_rate=limits.parse("3/day"),
    collect_personnummer=False,
    defaults=Defaults(InterestDefaults(), ViewingDefaults()),
)

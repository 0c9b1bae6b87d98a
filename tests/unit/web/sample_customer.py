"""A sample customer for the web tests."""

from hashlib import sha256

from app.domain.rates import parse_rate
from app.operations.interest import InterestDefaults
from app.operations.planning import Defaults
from app.operations.viewing import ViewingDefaults
from app.web.operations.customer import Customer
from app.web.rendering.page_models import Firm

CUSTOMER = Customer(
    id="M12345",
    firm=Firm("Mäklarhuset", None, None, None, accent="#0b5d4b", radius="6px", font="system-ui"),
    language="sv",
    origins=("https://www.maklarhuset.se", "https://*.broker.example.se", "http://localhost:3000"),
    key_hashes=(sha256(b"first").hexdigest(), sha256("andra å".encode()).hexdigest()),
    rate=parse_rate("2/minute"),
    person_rate=parse_rate("3/day"),
    collect_personnummer=False,
    defaults=Defaults(InterestDefaults(), ViewingDefaults()),
)

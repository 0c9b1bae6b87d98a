"""Converts a customer's configuration into what the web and the delivery plans need."""

from app.config.settings import CustomerSettings
from app.domain.rates import parse_rate
from app.operations.planning import Defaults, DefaultsTable
from app.web.operations import customer as web
from app.web.rendering.page_models import Firm


def web_customer(customer: CustomerSettings) -> web.Customer:
    return web.Customer(
        id=customer.id,
        firm=firm_of(customer),
        language=customer.language,
        origins=tuple(customer.allowed_origins),
        key_hashes=tuple(customer.api_key_hashes),
        rate=parse_rate(customer.rate_limit),
        person_rate=parse_rate(customer.rate_limit_person),
        collect_personnummer=customer.collect_personnummer,
        defaults=defaults_of(customer),
    )


def defaults_of(customer: CustomerSettings) -> Defaults:
    """The tables of default members: those in the customer's configuration, and those that every customer has."""
    tables = (getattr(customer, name) for name in type(customer).model_fields)
    return Defaults(*(table for table in tables if isinstance(table, DefaultsTable)))


def firm_of(customer: CustomerSettings) -> Firm:
    theme = customer.theme.model_dump()
    return Firm(customer.name, customer.phone, customer.email, customer.privacy_url, **theme)

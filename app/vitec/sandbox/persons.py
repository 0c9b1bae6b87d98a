"""The person that an application describes, as the office would register it."""

from datetime import datetime

from app.vitec.sandbox.contacts import ContactAddress, ContactEmail, ContactTelephone, Person
from app.vitec.sandbox.rules import Address, AdvertisingInterestApplication, Email, UpdatePerson


def person_of_interest(
    application: AdvertisingInterestApplication, customer_id: str, contact_id: str, at: datetime
) -> Person:
    phones = application.telephone
    return Person(
        id=contact_id,
        customer_id=customer_id,
        first_name=application.first_name,
        last_name=application.last_name,
        social_security_number=application.social_security_number,
        is_foreign_social_security_number=application.is_foreign_social_security_number or False,
        telephone=ContactTelephone(**phones.model_dump()) if phones else None,
        email=_email(application.email),
        address=_address(application.address),
        gdpr_approval_date=application.gdpr_approval_date,
        created_at=at,
        changed_at=at,
    )


def person_of_booking(visitor: UpdatePerson, customer_id: str, contact_id: str, at: datetime) -> Person:
    return Person(
        id=contact_id,
        customer_id=customer_id,
        agent_id=visitor.user_id,
        first_name=visitor.first_name,
        last_name=visitor.last_name,
        social_security_number=visitor.social_security_number,
        is_foreign_social_security_number=visitor.is_foreign_social_security_number or False,
        telephone=ContactTelephone(
            home=visitor.tele_phone, work=visitor.work_phone, cell=visitor.cell_phone, other=visitor.other_phone
        ),
        email=_email(visitor.email),
        address=_address(visitor.address),
        advertising_enabled=visitor.wish_advertising or False,
        note=visitor.note,
        lead_score=visitor.lead_score or 0,
        gdpr_approval_date=visitor.gdpr_approval_date,
        created_at=at,
        changed_at=at,
    )


def _email(email: Email | None) -> ContactEmail | None:
    return ContactEmail(**email.model_dump()) if email else None


def _address(address: Address | None) -> ContactAddress | None:
    return ContactAddress(**address.model_dump()) if address else None

"""E-mails the lead itself to its office when it has not reached Vitec in time, so that a broker can call back while the
CRM is down. Opt-in, and the only alert that contains personal data."""

from app.alarms.texts import AlertText, moment
from app.domain.submission import Status, Submission
from app.i18n import N_, GetText
from app.operations.member_labels import MEMBERS, same_member
from app.operations.member_paths import leaves
from app.operations.registry import OPERATIONS
from app.operations.stored_application import StoredApplication

# What a broker needs to get in touch, in the order of the mail.
SHOWN = (
    *("firstName", "lastName", "telephone.cell", "telephone.home", "telephone.work", "email.emailAddress"),
    *("address.streetAddress", "address.zipCode", "address.city", "contactId", "bank", "contactMessage", "message"),
)


def recovered_text(submission: Submission, gettext: GetText) -> AlertText:
    title = gettext(N_("Lead %(reference)s is no longer waiting")) % {"reference": submission.reference}
    arrived = submission.status is Status.DELIVERED
    reason = N_("Vitec has it now.") if arrived else N_("It was closed here, and will not be sent to Vitec.")
    return AlertText(title, gettext(reason) + "\n")


def lead_text(submission: Submission, stored: StoredApplication, gettext: GetText, language: str) -> AlertText:
    title = gettext(N_("A lead that has not reached Vitec yet (%(reference)s)")) % {"reference": submission.reference}
    about = [
        (gettext(N_("Regarding")), gettext(OPERATIONS[submission.operation].label)),
        (gettext(N_("Received at")), moment(submission.received_at, language)),
        (gettext(N_("Id in Vitec")), " ".join(submission.resource)),
        (gettext(N_("Home")), stored.title),
        (gettext(N_("Time")), moment(stored.starts_at, language) if stored.starts_at else ""),
    ]
    values = {same_member(name): value for name, value in leaves(stored.submitted) if isinstance(value, str)}
    lines = about + [(gettext(MEMBERS[member]), values[member]) for member in SHOWN if member in values]
    lines.append((gettext(N_("Page")), stored.context.marketing.referrer or ""))
    why = (
        N_("It is saved, and will be sent to Vitec as soon as possible. The details are below, so you can call now.")
        if submission.status is Status.PENDING
        else N_("It is saved, but is not sent to Vitec again by itself. The details are below, so you can call now.")
    )
    return AlertText(title, gettext(why) + "\n\n" + "".join(f"{label}: {value}\n" for label, value in lines if value))

"""The routes of the whole service, the busiest first."""

from collections.abc import Callable, Sequence

from starlette.routing import Route

from app.storage.database import Database
from app.storage.encryption import Keyring
from app.web import embed, health
from app.web.operations import contacts, receipts
from app.web.operations import routes as operation_routes
from app.web.operations.dependencies import Dependencies
from app.web.personal import routes as personal_routes
from app.web.personal.contact_names import ContactNames
from app.web.rendering import static_files


def routes(deps: Dependencies, keyring: Keyring, database: Database, down: Callable[[], Sequence[str]]) -> list[Route]:
    return [
        *operation_routes.routes(deps),
        *contacts.routes(deps),
        *personal_routes.routes(deps, keyring, ContactNames(deps.contacts)),
        *receipts.routes(deps),
        *embed.routes(deps),
        *health.routes(database, down),
        *static_files.routes,
    ]

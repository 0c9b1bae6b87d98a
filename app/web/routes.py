"""The routes of the whole service, the busiest first."""

from starlette.routing import BaseRoute

from app.storage.encryption import Keyring
from app.web import embed, health
from app.web.operations import contacts_api, receipts, status
from app.web.operations import routes as operation_routes
from app.web.operations.dependencies import Dependencies
from app.web.personal import routes as personal_routes
from app.web.personal.contact_names import ContactNames
from app.web.rendering import static_files


def routes(deps: Dependencies, keyring: Keyring) -> list[BaseRoute]:
    return [
        *operation_routes.routes(deps),
        *contacts_api.router.routes,
        *contacts_api.routes(deps),
        *personal_routes.routes(deps, keyring, ContactNames(deps.contacts)),
        *receipts.routes(deps),
        *status.router.routes,
        *status.routes(deps),
        *embed.routes(deps),
        *embed.router.routes,
        *health.router.routes,
        *static_files.routes,
    ]

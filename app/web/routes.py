"""All that the outside can ask for, what most ask for first."""

from starlette.routing import Route

from app.storage.database import Database
from app.storage.encryption import Keyring
from app.web import crm, embed, forms, operations, personal, receipts, static_files
from app.web.greeting import Greeter
from app.web.site import Site


def routes(site: Site, keyring: Keyring, database: Database) -> list[Route]:
    return [
        *forms.routes(site),
        *crm.routes(site),
        *personal.routes(site, keyring, Greeter(site.contacts)),
        *receipts.routes(site),
        *embed.routes(site),
        *operations.routes(database),
        *static_files.routes,
    ]

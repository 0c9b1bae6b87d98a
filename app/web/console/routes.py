"""The console's routes."""

from starlette.routing import Route

from app.web.console.campaign_tables import HOMES, show_home
from app.web.console.context import SIGN_IN, Page, Post, posted, signed_in
from app.web.console.customers import CUSTOMERS, show_customer, show_customers, try_login
from app.web.console.dashboard import show_overview
from app.web.console.dependencies import ConsoleDependencies
from app.web.console.embed_builder import preview, show_builder
from app.web.console.session import PATH
from app.web.console.sign_in import sign_in, sign_in_page, sign_out
from app.web.console.submission_actions import act, confirm
from app.web.console.submission_detail import show_submission
from app.web.console.submission_list import export, search, show_submissions
from app.web.console.submission_rows import LIST

PAGES: tuple[tuple[str, Page], ...] = (
    (PATH, show_overview),
    (f"{PATH}/", show_overview),  # as people type it
    (f"{HOMES}/{{customer}}/{{home}}", show_home),
    (LIST, show_submissions),
    (f"{LIST}.csv", export),
    (f"{LIST}/{{submission}}", show_submission),
    (f"{LIST}/{{submission}}/{{action}}", confirm),
    (CUSTOMERS, show_customers),
    (f"{CUSTOMERS}/{{customer}}", show_customer),
    (f"{CUSTOMERS}/{{customer}}/embed", show_builder),
    (f"{CUSTOMERS}/{{customer}}/preview", preview),
)
POSTS: tuple[tuple[str, Post], ...] = (
    (f"{PATH}/sign-out", sign_out),
    (LIST, search),
    (f"{LIST}/{{submission}}/{{action}}", act),
    (f"{CUSTOMERS}/{{customer}}/logins/{{group}}", try_login),
)


def routes(deps: ConsoleDependencies) -> list[Route]:
    return [
        Route(SIGN_IN, sign_in_page(deps), methods=["GET"]),
        Route(SIGN_IN, sign_in(deps), methods=["POST"]),
        *(Route(path, signed_in(deps, show), methods=["GET"]) for path, show in PAGES),
        *(Route(path, posted(deps, act), methods=["POST"]) for path, act in POSTS),
    ]

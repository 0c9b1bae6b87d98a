"""The script of the embeds, and what tells an agency why one doesn't work."""

import gzip
import hashlib
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.domain.marketing import CLICK_IDS
from app.i18n import N_, GetText
from app.operations.registry import PUBLIC_POSTS
from app.web.operations.dependencies import Dependencies
from app.web.operations.problems import language_of
from app.web.rendering.resources import STATIC
from app.web.rendering.templates import Templates

_NOT_CODE = re.compile(r"^\s*(//.*\n)?| // .*$", re.MULTILINE)  # indentation and comments; no string of ours has such
TITLES = {name: post.form.heading for name, post in PUBLIC_POSTS.items() if post.form}
# Any page may load these: they hold nobody's data, and are asked for across origins by their purpose.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
# An hour: the address is the same for ever, and a mended script should reach every firm's site the same day.
SCRIPT_HEADERS = {
    **OPEN,
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Vary": "Accept-Encoding",
}
ADVICE = {
    "customer": N_("No such customer. Check data-customer."),
    "no-origin": N_("Give the origin as browsers send it, such as https://www.example.se."),
    "origin": N_("The customer’s allowed_origins do not include this origin. Add it to the configuration."),
}
FINE = N_("The forms can be shown on this origin.")


def routes(deps: Dependencies) -> list[Route]:
    embeds = _Embeds(deps)
    return [
        Route("/embed.js", embeds.script, methods=["GET"]),
        Route("/embed/check", embeds.check, methods=["GET"]),
    ]


def embed_script(templates: Templates) -> bytes:
    """`static/embed.js` with the frames' titles in every language and the names of the click ids."""
    titles = {
        language: {form: templates.gettext(language)(text) for form, text in TITLES.items()}
        for language in templates.languages
    }
    source = _NOT_CODE.sub("", (STATIC / "embed.js").read_text("utf-8"))
    for place, content in (("TITLES = {}", titles), ("CLICK_IDS = []", sorted(CLICK_IDS))):
        name, _, _ = place.partition(" ")
        source = source.replace(place, f"{name} = {json.dumps(content, ensure_ascii=False)}")
    return source.encode()


class _Embeds:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._script = embed_script(deps.templates)
        self._packed = gzip.compress(self._script, 9, mtime=0)
        self._tag = f'"{hashlib.sha256(self._script).hexdigest()[:16]}"'

    async def script(self, request: Request) -> Response:
        headers = {**SCRIPT_HEADERS, "ETag": self._tag}
        if self._tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = self._script
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = self._packed, "gzip"
        return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)

    async def check(self, request: Request) -> Response:
        """`{"ok", "customer", "origin", "frameAncestors", "reason", "advice"}`: whether pages of the origin may show
        the customer's forms, from the configuration alone. `reason` is null, or one of `ADVICE`."""
        deps = self._deps
        asked = {name: request.query_params.get(name, "")[:300] for name in ("customer", "origin")}
        customer = deps.customers.get(asked["customer"])
        reason = None
        if customer is None:
            reason = "customer"
        elif not asked["origin"].startswith(("https://", "http://")):
            reason = "no-origin"
        elif not deps.origins.allows(asked["origin"], customer):
            reason = "origin"
        answer = {
            "ok": reason is None,
            **asked,
            "frameAncestors": deps.frame_ancestors(customer) or "*",
            "reason": reason,
            "advice": self._advice(reason, deps.templates.gettext(language_of(request, deps))),
        }
        return JSONResponse(answer, 404 if customer is None else 200, headers={**OPEN, "Cache-Control": "no-store"})

    def _advice(self, reason: str | None, gettext: GetText) -> Any:
        return gettext(ADVICE[reason] if reason else FINE)

"""Security headers of pages. Nothing inline runs: the one style element is allowed by its hash."""

from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=1024)
def page_headers(style_hash: str, frame_ancestors: str, form_action: str = "'self'") -> Mapping[str, str]:
    """`frame_ancestors` is the sources that may frame the page, as CSP writes them; "" leaves that open (demo).
    `form_action` is where its forms may lead, after redirects too."""
    policy = [
        "default-src 'none'",
        f"style-src {style_hash}",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        f"form-action {form_action}",
        "base-uri 'none'",
        *([f"frame-ancestors {frame_ancestors}"] if frame_ancestors else []),
    ]
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
        # Not no-referrer: with that browsers send `Origin: null`, and our own form would refuse everyone.
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Vary": "Accept-Language",
    }


def private_headers(style_hash: str) -> Mapping[str, str]:
    """Of a page whose address is a secret: nobody frames it, and no other site is told of it. Our own form still says
    where it was posted from."""
    return {**page_headers(style_hash, "'none'"), "Referrer-Policy": "same-origin"}

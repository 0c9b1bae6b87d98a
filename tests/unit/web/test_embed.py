"""The size and texts of the script. tests/integration covers its caching over HTTP."""

import gzip
import json
import re

from app.operations.registry import PUBLIC_POSTS
from app.web.embed import embed_script
from app.web.rendering.templates import Templates

SCRIPT = embed_script(Templates())


def test_the_script_is_at_most_5_kilobytes_compressed() -> None:
    assert len(gzip.compress(SCRIPT, 9)) <= 5 * 1024


def test_the_frames_titles_are_in_every_language() -> None:
    swedish, english = re.findall(r'"(?:sv|en)": ({.*?})', SCRIPT.decode())
    assert json.loads(swedish) == {
        "interest": "Anmäl intresse",
        "viewing": "Boka visning",
        "valuation": "Vad är din bostad värd?",
        "final-price": "Vad såldes bostaden för?",
    }
    assert json.loads(english) == {name: post.form.heading for name, post in PUBLIC_POSTS.items() if post.form}


def test_no_message_is_sent_to_any_origin() -> None:
    assert re.findall(r"postMessage\(.*\)", SCRIPT.decode())
    assert '"*"' not in SCRIPT.decode()

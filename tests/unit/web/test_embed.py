"""The size and texts of the script. tests/integration covers its caching over HTTP."""

import gzip
import json
import re

from app.operations.registry import PUBLIC_POSTS
from app.web.embed import embed_script
from app.web.rendering.resources import STATIC
from app.web.rendering.templates import Templates

SCRIPT = embed_script(Templates())


def test_the_script_is_at_most_5_kilobytes_compressed() -> None:
    assert len(gzip.compress(SCRIPT, 9)) <= 5000


def test_the_frames_titles_are_in_every_language() -> None:
    swedish, english = re.findall(r'"(?:sv|en)": ({.*?})', SCRIPT.decode())
    assert json.loads(english) == {name: post.form.heading for name, post in PUBLIC_POSTS.items() if post.form}
    assert json.loads(swedish).keys() == PUBLIC_POSTS.keys()
    assert json.loads(swedish)["viewing"] == "Boka visning"


def test_every_public_form_can_be_embedded() -> None:
    [paths] = re.findall(r"PATHS=({.*?]})", SCRIPT.decode())
    assert json.loads(paths).keys() == PUBLIC_POSTS.keys()
    assert json.loads(paths)["viewing"] == ["viewing/{viewing}/{slot}", "viewing/{estate}"]
    [heights] = re.findall(r"HEIGHTS={\n(.*?)\n};", SCRIPT.decode(), re.DOTALL)
    assert set(re.findall(r'^"?([a-z-]+)"?: \[', heights, re.MULTILINE)) == PUBLIC_POSTS.keys()
    [types] = re.findall(r"type Form = (.*);", (STATIC / "embed.d.ts").read_text("utf-8"))
    assert set(types.replace('"', "").split(" | ")) == PUBLIC_POSTS.keys()


def test_no_message_is_sent_to_any_origin() -> None:
    assert re.findall(r"postMessage\(.*\)", SCRIPT.decode())
    assert '"*"' not in SCRIPT.decode()

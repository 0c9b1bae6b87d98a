"""The WordPress plugin agrees with the product: version, forms, Swedish texts. `make wordpress` runs it."""

import json
import re
import struct
import zipfile
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app import __version__
from app.operations.registry import PUBLIC_POSTS
from integrations.wordpress.package import PLUGIN, package

PHP = {path: path.read_text("utf-8") for path in PLUGIN.rglob("*.php")}
TEXT = re.compile(r"\b(?:__|esc_html__|esc_attr__)\(\s*'((?:[^'\\]|\\.)*)',\s*'intresse'", re.DOTALL)


def test_the_plugin_has_the_products_version_everywhere() -> None:
    main = PHP[PLUGIN / "intresse.php"]
    versions = re.findall(r"(?:Version:\s+|INTRESSE_VERSION = ')(\d[\w.]*)", main)
    versions += re.findall(r"Stable tag: (\S+)", (PLUGIN / "readme.txt").read_text("utf-8"))
    assert versions == [__version__] * 3


def test_the_plugin_offers_every_public_form() -> None:
    offered = re.findall(r"^\t\t'([a-z-]+)'\s*=> array\($", PHP[PLUGIN / "includes/forms.php"], re.MULTILINE)
    assert set(offered) == set(PUBLIC_POSTS)


def test_every_text_of_the_plugin_is_translated_into_swedish() -> None:
    texts = {text for source in PHP.values() for text in TEXT.findall(source)}
    assert len(texts) > 20
    texts.add(json.loads((PLUGIN / "blocks/form/block.json").read_text("utf-8"))["description"])
    texts.update(re.findall(r"Description: +(.+)", PHP[PLUGIN / "intresse.php"]))  # in the list of plugins
    with (PLUGIN / "languages/intresse-sv_SE.po").open("rb") as file:
        translated = {message.id: message.string for message in read_po(file) if message.id}
    assert {text for text in texts if not translated.get(text)} == set()
    assert set(translated) - texts == set()


@pytest.mark.parametrize("path", sorted(PHP), ids=lambda path: path.name)
def test_no_file_does_anything_when_a_stranger_opens_it(path: Path) -> None:
    assert re.search(r"defined\( '(?:ABSPATH|WP_UNINSTALL_PLUGIN)' \) \|\| exit;", PHP[path])


def test_the_zip_has_the_plugin_in_a_folder_of_its_own_with_its_translations_compiled(tmp_path: Path) -> None:
    made = package(tmp_path, __version__)
    names = zipfile.ZipFile(made).namelist()
    assert {"intresse/intresse.php", "intresse/languages/intresse-sv_SE.mo"} <= set(names)
    assert all(name.startswith("intresse/") for name in names)


def test_whoever_unpacks_the_zip_the_web_server_may_read_it(tmp_path: Path) -> None:
    for entry in zipfile.ZipFile(package(tmp_path, __version__)).infolist():
        assert entry.external_attr >> 16 == 0o100644
        assert entry.compress_type == zipfile.ZIP_DEFLATED


def test_wordpress_finds_the_translations_where_it_looks_for_them(tmp_path: Path) -> None:
    """As its `MO::import_from_reader` checks it, which refuses the file otherwise."""
    made = zipfile.ZipFile(package(tmp_path, __version__)).read("intresse/languages/intresse-sv_SE.mo")
    count, originals, translations, _, hashes = struct.unpack("=5I", made[8:28])
    assert (translations - originals, hashes - translations) == (count * 8, count * 8)


def test_the_block_has_an_attribute_for_all_that_a_form_is_made_from() -> None:
    block = json.loads((PLUGIN / "blocks/form/block.json").read_text("utf-8"))
    [names] = re.findall(r"foreach \( array\( ([^)]*) \) as \$name \) \{\n\t\tif", PHP[PLUGIN / "includes/render.php"])
    assert set(re.findall(r"'(\w+)'", names)) | {"form"} == set(block["attributes"])

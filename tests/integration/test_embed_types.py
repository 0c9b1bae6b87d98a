"""static/embed.d.ts, as TypeScript reads it, describes what static/embed.js does."""

import re
import shutil
import subprocess
from pathlib import Path

from app.web.rendering.resources import STATIC

ROOT = Path(__file__).resolve().parents[2]
TSC = ROOT / "tests/npm/node_modules/typescript/bin/tsc"
OPTIONS = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--lib", "es2022,dom", "--pretty", "false"]
USE = """
document.addEventListener("intresse:submitted", ({ detail }) => {
  const said: [Intresse.Form, string, string] = [detail.form, detail.reference, detail.status];
  // @ts-expect-error: never personal data
  detail.email;
});
addEventListener("intresse:height", (event) => event.detail.height.toFixed());
const element = document.createElement("intresse-form");
element.addEventListener("intresse:ready", (event) => event.detail.form.trim());
element.addEventListener("intresse:error", ({ detail }) => {
  if (detail.reason === "blocked") element.remove();
  // @ts-expect-error: there is no such reason
  if (detail.reason === "nothing") element.remove();
});
window.intresse?.scan();
const attributes: Intresse.Attributes = { form: "viewing", customer: "M12345", estate: "OBJ1", "utm-source": "x" };
// @ts-expect-error: there is no such form
const wrong: Intresse.Attributes = { form: "viewings", customer: "M12345" };
"""


def read(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def compiled(folder: Path, source: str) -> str:
    """The compiler's output for a site's code together with the declarations."""
    node = shutil.which("node")
    assert node, "no Node.js on this machine: see tests/install-programs"
    assert TSC.exists(), "no TypeScript: see tests/install-programs"
    (folder / "use.ts").write_text(source, "utf-8")
    (folder / "intresse.d.ts").write_text(read("embed.d.ts"), "utf-8")
    command = [node, str(TSC), *OPTIONS, "intresse.d.ts", "use.ts"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120).stdout


def test_a_sites_code_is_checked_by_the_declarations(tmp_path: Path) -> None:
    assert compiled(tmp_path, USE) == ""
    assert "TS2578" in compiled(tmp_path, f"{USE}// @ts-expect-error: of nothing\nconst fine = 1;\n")


def test_the_declared_events_are_those_that_are_dispatched_with_their_members() -> None:
    dispatched: dict[str, set[str]] = {}
    for name, members in re.findall(r'dispatch\(element, "(\w+)", \{ (.+?) \}\)', read("embed.js")):
        dispatched.setdefault(name, set()).update(re.findall(r"(?:^|, )(\w+)", members))
    declared = {
        name: set(re.findall(r"^    (\w+):", re.findall(rf"interface {detail} {{\n(.*?)\n  }}", types, re.S)[0], re.M))
        for types in [read("embed.d.ts")]
        for name, detail in re.findall(r'"intresse:(\w+)": CustomEvent<Intresse\.(\w+)>', types)
    }
    assert declared == dispatched
    assert declared.keys() == {"ready", "height", "submitted", "error"}


def test_the_declared_attributes_are_those_that_the_script_reads() -> None:
    watched = set(re.findall(r'"(\w+)"', re.findall(r"const watched = \[(.*?)\]", read("embed.js"))[0]))
    attributes = re.findall(r"interface Attributes {\n(.*?)\n  }", read("embed.d.ts"), re.S)[0]
    assert set(re.findall(r"^    (\w+)\??:", attributes, re.M)) == watched - {"intresse"} | {"form", "remember"}


def test_the_declared_reasons_are_the_guides() -> None:
    guide = (ROOT / "docs/embedding.md").read_text("utf-8").partition("## When it doesn't work")[2]
    table = guide.partition("| what you see")[0]
    [reasons] = re.findall(r"reason: (.+);", read("embed.d.ts"))
    assert set(re.findall(r'"([\w-]+)"', reasons)) == set(re.findall(r"^\| `([\w-]+)` \|", table, re.M)) - {"reason"}

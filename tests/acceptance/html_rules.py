"""html-validate, which checks HTML's own rules. axe does not."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

NPM = Path(__file__).resolve().parents[1] / "npm"


@cache
def _checker() -> subprocess.Popen[str]:
    """One checker process for all pages. It ends when its input is closed, which happens when this process ends."""
    node = shutil.which("node")
    assert node, "no Node.js on this machine: see tests/install-programs"
    assert (NPM / "node_modules" / "html-validate").is_dir(), "no html-validate: see tests/install-programs"
    return subprocess.Popen([node, "check.mjs"], cwd=NPM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def breaches(html: str) -> list[str]:
    checker = _checker()
    assert checker.stdin
    assert checker.stdout
    checker.stdin.write(json.dumps(html) + "\n")
    checker.stdin.flush()
    messages: list[str] = json.loads(checker.stdout.readline())
    return messages

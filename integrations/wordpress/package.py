"""The plugin's zip, as WordPress installs it: its files, with the translations compiled."""

import struct
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

PLUGIN = Path(__file__).parent / "intresse"
AT = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip


def package(folder: Path, version: str) -> Path:
    """Writes `intresse-wordpress-{version}.zip` into the folder."""
    made = folder / f"intresse-wordpress-{version}.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in PLUGIN.rglob("*") if path.is_file()):
            name = f"intresse/{path.relative_to(PLUGIN).as_posix()}"
            archive.writestr(_entry(name), path.read_bytes())
            if path.suffix == ".po":
                archive.writestr(_entry(f"{name.removesuffix('.po')}.mo"), _compiled(path))
    return made


def _entry(name: str) -> zipfile.ZipInfo:
    """Readable to all once unpacked: the web server is seldom the user who unpacks it."""
    entry = zipfile.ZipInfo(name, AT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o100644 << 16
    return entry


def _compiled(path: Path) -> bytes:
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    made = bytearray(compiled.getvalue())
    # WordPress reads no file without this: where the hash table, which Babel leaves out, would stand behind the others.
    count, _, translations = struct.unpack_from("=3I", made, 8)
    struct.pack_into("=I", made, 24, translations + 8 * count)
    return bytes(made)


if __name__ == "__main__":
    from app import __version__

    package(Path(sys.argv[1]), __version__)

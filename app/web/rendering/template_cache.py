"""The templates' compiled code on disk, as Python keeps that of its modules: compiling one form's takes 0.15 s."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, BytecodeCache


class TemplateCache(BytecodeCache):
    """Files in `__pycache__` of the templates' folder. They are written where Python may write bytecode and the folder
    can be written to. Jinja does not use a file that was made from another source or by another Python; the files'
    names differ by Jinja's version and by `options`, those that change how a template is compiled."""

    def __init__(self, templates: Path, options: Mapping[str, object]) -> None:
        made_by = hashlib.sha256(repr((jinja2.__version__, sorted(options.items()))).encode()).hexdigest()
        self._folder = templates / "__pycache__"
        self._suffix = f".{sys.implementation.cache_tag}-{made_by[:8]}.jinja"

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """By the template's name alone, so that the folder can be moved, as an image's build does."""
        return name.replace("/", ".")

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            bucket.bytecode_from_string(self._file(bucket).read_bytes())
        except OSError:
            return
        except Exception:  # a damaged file: pickle and marshal raise many kinds
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        file = self._file(bucket)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")  # so that no process reads half of it
        with contextlib.suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            try:
                temporary.write_bytes(bucket.bytecode_to_string())
                temporary.replace(file)
            finally:
                temporary.unlink(missing_ok=True)

    def _file(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}{self._suffix}"

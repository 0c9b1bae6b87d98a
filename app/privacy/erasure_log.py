"""A log of erasures on request, kept outside the database: if a restored backup brings a person's data back, the log
says whom to erase again.

Lines are only appended. The person is stored as a keyed hash. Each line ends with a proof, a keyed hash of the line, so
that nobody without the key can add or change one. A line cut short by a crash or a full disk belongs to an erasure that
was never carried out, and is skipped.
"""

import contextlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from app.storage.encryption import KeyedHash

try:
    import fcntl
except ImportError:  # Windows, where the demo's single process writes alone
    fcntl = None  # type: ignore[assignment]

BEGINNING = '{"at": '  # of each line

log = structlog.get_logger()


class ErasureLogError(Exception):
    """The message is one line for an operator."""


@dataclass(frozen=True)
class Erasure:
    """`by` is what the person was searched by; `customer_id` None means all customers."""

    at: datetime
    by: str
    digest: bytes
    customer_id: str | None


class ErasureLog:
    def __init__(self, path: Path, proof: KeyedHash) -> None:
        self.path = path
        self._proof = proof

    def append(self, erasure: Erasure) -> str:
        """Returns the line, once it is on disk. Raises `ErasureLogError`."""
        line = {"at": erasure.at.isoformat(), "by": erasure.by, "hash": erasure.digest.hex()}
        line |= {} if erasure.customer_id is None else {"customer": erasure.customer_id}
        text = json.dumps(line | {"proof": self._proof_of(line)})
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file).st_size == 0:  # a new file is only safe once its folder is on disk, too
                    _sync_folder(self.path.parent)
                _add_line(file, text)
            finally:
                os.close(file)
        except OSError as error:
            raise ErasureLogError(f"erasure log {self.path}: {error.strerror}") from error
        return text

    def read(self) -> list[Erasure]:
        """Oldest first; none if there is no file. Raises `ErasureLogError` on a line that was not written with our
        key."""
        if not self.path.exists():
            return []
        try:
            lines = self.path.read_bytes().decode("utf-8", "replace").split("\n")
        except OSError as error:
            raise ErasureLogError(f"erasure log {self.path}: {error.strerror}") from error
        erasures = []
        for number, line in enumerate(lines, 1):
            if _was_cut(line):
                log.warning("erasure log: an incomplete line was skipped", line=number)
            elif line:
                erasures.append(self._erasure(line, number))
        return erasures

    def _erasure(self, text: str, number: int) -> Erasure:
        try:
            line = json.loads(text)
            proof = line.pop("proof")
            if not hmac.compare_digest(proof, self._proof_of(line)):
                raise ValueError("the proof is wrong")
            at = datetime.fromisoformat(line["at"])
            return Erasure(at, line["by"], bytes.fromhex(line["hash"]), line.get("customer"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ErasureLogError(
                f"erasure log {self.path}, line {number}: altered, or written with another secret_key"
            ) from error

    def _proof_of(self, line: dict[str, str]) -> str:
        return self._proof.digest(json.dumps(line, sort_keys=True)).hex()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can't sync folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _add_line(file: int, text: str) -> None:
    """Appends the line completely or not at all: a partial write, as on a full disk, is undone. Raises `OSError`."""
    size = os.fstat(file).st_size
    os.lseek(file, max(size - 1, 0), os.SEEK_SET)  # where it is read; writing is always at the end
    is_cut = os.read(file, 1) not in {b"", b"\n"}  # an earlier line was cut short by a crash
    line = ("\n" if is_cut else "").encode() + f"{text}\n".encode()
    try:
        while line:
            line = line[os.write(file, line) :]
        os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise


def _was_cut(line: str) -> bool:
    """Whether the line is incomplete: it begins like ours but does not end, or a crash has left nothing but zeros."""
    text = line.rstrip("\0")
    if text and not (text.startswith(BEGINNING) or BEGINNING.startswith(text)):
        return False
    return bool(line) and not text.endswith("}")

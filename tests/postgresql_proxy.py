"""A TCP proxy before PostgreSQL that loses its answers: before or after a COMMIT, or by falling silent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

from sqlalchemy import URL, make_url

COMMIT = b"COMMIT"
BEGIN = b"BEGIN"
PROCESS = b"K\x00\x00\x00\x0c"  # what PostgreSQL sends before the id of a connection's process
SYNC = b"S\x00\x00\x00\x04"  # asks for the answers to a pipeline


class Cut(Enum):
    """When the connection breaks: before the commit has reached PostgreSQL, and it never does or `LATE_SECONDS` later;
    or after it has been carried out."""

    BEFORE = auto()
    LATE = auto()
    AFTER = auto()


LATE_SECONDS = 0.5  # longer than the intake waits before it looks


@dataclass
class Proxy:
    """`url` is the database's address through the proxy. `cut` breaks the next transactions that contain `with_text` at
    their commit. `before_sync` is called when PostgreSQL has received a pipelined commit, but has not been asked for
    the answer, and is to end that connection. `pools` makes up the process's id, as PgBouncer does. `turns` are
    "client" and "server" in turn, as they have spoken."""

    url: str
    with_text: bytes = b""
    cuts: list[Cut] = field(default_factory=list)
    made: int = 0
    before_sync: Callable[[], None] | None = None
    pools: bool = False
    turns: list[str] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)  # nothing passes, and nothing is closed
    ended: threading.Event = field(default_factory=threading.Event)

    def cut(self, when: Cut, with_text: bytes, times: int = 1) -> None:
        self.with_text, self.cuts = with_text, [when] * times

    def note(self, speaker: str) -> None:
        if self.turns[-1:] != [speaker]:
            self.turns.append(speaker)

    def take(self, transaction: bytes) -> Cut | None:
        if not self.cuts or self.with_text not in transaction:
            return None
        self.made += 1
        return self.cuts.pop()


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """Runs the proxy before a PostgreSQL that listens on a Unix socket or a port."""
    url = make_url(target)
    listener = socket.create_server(("127.0.0.1", 0))
    through = url.set(host="127.0.0.1", port=listener.getsockname()[1], query={})
    proxy = Proxy(through.render_as_string(hide_password=False))
    threading.Thread(target=_accept, args=(listener, url, proxy), daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.ended.set()
        proxy.silent.clear()
        listener.close()


def _accept(listener: socket.socket, url: URL, proxy: Proxy) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, _connect(url), proxy), daemon=True).start()


def _connect(url: URL) -> socket.socket:
    folder = url.query.get("host")
    if isinstance(folder, str):
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{folder}/.s.PGSQL.{url.query.get('port', url.port or 5432)}")
        return server
    return socket.create_connection((url.host, url.port or 5432))


def _serve(client: socket.socket, server: socket.socket, proxy: Proxy) -> None:
    dropping = threading.Event()
    back = threading.Thread(target=_answers, args=(server, client, proxy, dropping), daemon=True)
    back.start()
    transaction = b""
    with suppress(OSError):
        while data := client.recv(65536):
            _wait(proxy)
            proxy.note("client")
            transaction = data if BEGIN in data else transaction + data
            when = proxy.take(transaction) if COMMIT in data else None
            if when is Cut.BEFORE:
                break
            if when:
                dropping.set()
            if when is Cut.LATE:
                _close(client)
                proxy.ended.wait(LATE_SECONDS)
            if proxy.before_sync and COMMIT in transaction and SYNC in data:
                server.sendall(data[: data.rindex(SYNC)])
                proxy.before_sync()
                back.join()  # which passes on the last words of PostgreSQL
                break
            server.sendall(data)
    if not dropping.is_set():
        _close(client, server)


def _answers(server: socket.socket, client: socket.socket, proxy: Proxy, dropping: threading.Event) -> None:
    with suppress(OSError):
        while data := server.recv(65536):
            _wait(proxy)
            if dropping.is_set():
                break
            proxy.note("server")
            if proxy.pools and PROCESS in data:
                before, _, after = data.partition(PROCESS)
                data = before + PROCESS + bytes(4) + after[4:]
            client.sendall(data)
    _close(client, server)


def _wait(proxy: Proxy) -> None:
    while proxy.silent.is_set() and not proxy.ended.is_set():
        proxy.ended.wait(0.05)


def _close(*sockets: socket.socket) -> None:
    for connection in sockets:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

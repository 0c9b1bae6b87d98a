"""A proxy for PostgreSQL that cuts a connection at a commit: before the commit arrives, or before its answer returns.
The client can't know whether it was committed."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import URL


@dataclass
class CuttingProxy:
    url: URL
    listener: socket.socket
    cut: threading.Event = field(default_factory=threading.Event)  # set: cut the next commit
    cuts: int = 0

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, _connect(self.url) as server:
            answers = threading.Thread(target=_copy, args=(server, client), daemon=True)
            answers.start()
            try:
                self._forward(client, server)
            finally:  # closing is not enough while the other thread reads: PostgreSQL would keep the locks
                server.shutdown(socket.SHUT_RDWR)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(65536):
            if b"COMMIT" in data and self.cut.is_set():
                self.cut.clear()
                self.cuts += 1
                if random.random() < 0.5:
                    client.shutdown(socket.SHUT_RDWR)
                    server.sendall(data)
                    server.recv(1)  # wait for the answer
                return
            server.sendall(data)


def _connect(url: URL) -> socket.socket:
    folder = url.query.get("host")
    if not isinstance(folder, str):
        return socket.create_connection((url.host or "127.0.0.1", url.port or 5432))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{folder}/.s.PGSQL.{url.port or 5432}")
    return server


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_proxy(url: URL) -> Iterator[tuple[CuttingProxy, str]]:
    """Runs the proxy; yields it, and the database's URL through it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CuttingProxy(url, listener)
        threading.Thread(target=proxy.serve, daemon=True).start()
        yield proxy, url.set(host="127.0.0.1", port=proxy.port, query={}).render_as_string(hide_password=False)
        listener.close()

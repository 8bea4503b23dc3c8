"""A server of one's own that plays a download site, well or badly, and an empty cache."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Served:
    """A file on the site, and how the site behaves.

    Attributes:
        content: the file.
        etag: its validator; empty: none is told.
        ranges: whether parts are served.
        cuts: after how many bytes each answer breaks off, one after the other; then none does.
        always_cut: after how many bytes every answer breaks off.
        statuses: answered in the place of the file, one after the other.
        hang: seconds before each answer's last byte.
        length: whether the length is told.
        kind: Content-Type.
        to: where the site redirects to.
    """

    content: bytes = b""
    etag: str = '"one"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    always_cut: int | None = None
    statuses: list[int] = field(default_factory=list)
    hang: float = 0.0
    length: bool = True
    kind: str = "application/octet-stream"
    to: str = ""


@dataclass
class Site:
    """What is served, and what was asked."""

    url: str
    files: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def put(self, name: str, served: Served) -> str:
        self.files[f"/{name}"] = served
        return f"{self.url}/{name}"

    def ranges(self) -> list[str]:
        return [part for _, part in self.asked]


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            site.asked.append((self.path, self.headers.get("Range", "")))
            served = site.files.get(self.path)
            if served is None:
                self.send_error(404)
            elif served.statuses:
                self.send_error(served.statuses.pop(0))
            elif served.to:
                self.send_response(302)
                self.send_header("Location", served.to)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._send(served)

        def _send(self, served: Served) -> None:
            start = self._start(served)
            body = served.content[start:]
            if start >= len(served.content) > 0:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", served.kind)
            if start:
                last = len(served.content)
                self.send_header("Content-Range", f"bytes {start}-{last - 1}/{last}")
            if served.etag:
                self.send_header("ETag", served.etag)
            if served.length:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            cut = served.cuts.pop(0) if served.cuts else served.always_cut
            self.wfile.write(body[: len(body) - 1 if cut is None else cut])
            self.wfile.flush()
            if served.hang:
                site.released.wait(served.hang)
            if cut is None:
                self.wfile.write(body[-1:])

        def _start(self, served: Served) -> int:
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range", served.etag) == served.etag
            return int(match[1]) if match and served.ranges and same else 0

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hung up

    server = Server(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        site.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def served() -> type[Served]:
    return Served


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    return tmp_path / "cache"

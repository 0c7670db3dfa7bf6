"""A server on this machine that answers as a service does, and now and then as a service should not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HALF, SLOW, CUT = "half a body", "slower than one waits", "a connection that ends at once"
DELAY = 0.6  # seconds that a slow answer takes; tests wait for less


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    body: str
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Server:
    """A running server: its address, what it was asked, and the faults that its next answers have."""

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # path and query
    faults: list[str | int] = field(default_factory=list)  # of the next answers to `faulty` paths, first first
    faulty: Callable[[str], bool] = lambda path: True

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def serve(answer: Callable[[str, dict[str, str]], Answer]) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1 whose answers are those of `answer(path, query)`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            server.asked.append((parts.path, query))
            fault = server.faults.pop(0) if server.faults and server.faulty(parts.path) else None
            if fault == CUT:
                self.close_connection = True
                return
            if isinstance(fault, int):
                wait = (("Retry-After", "3"),) if fault == 429 else ()
                self.reply(Answer("<html>no</html>", fault, "text/html", wait))
                return
            if fault == SLOW:
                time.sleep(DELAY)
            found = answer(parts.path, query)
            self.reply(found, len(found.body.encode()) // 2 if fault == HALF else None)

        def reply(self, found: Answer, sent: int | None = None) -> None:
            body = found.body.encode()
            self.send_response(found.status)
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in found.headers:
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # the client may wait no longer
                self.wfile.write(body[:sent])
            self.close_connection = sent is not None

        def log_message(self, *arguments: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    server = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()

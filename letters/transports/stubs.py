"""What our stub suppliers share: a real HTTP server in threads, which misbehaves on command.

`POST /misbehave/` takes the fields of `Misbehaviour` as a JSON object, and those left out are back to
what they were at the start; `GET /accepted/` answers with everything that was accepted, in order, so
that whoever tests can hold it against what we believe. Nothing here is for production.
"""

import json
import random
import socket
import threading
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass
class Misbehaviour:
    """Shares (0 to 1) of the requests that could be accepted, each of which goes wrong in one way.

    Not accepted: `refuse` (400), `too_many` (429), `error` (500), `unavailable` (503), `drop` (the
    connection), `hang` (no answer). Accepted all the same: `error_after`, `drop_after`, `hang_after`.
    `times` is for how many requests, all if None. `down` answers 503 to everything. `hang_seconds`
    is how long a hanging connection stays open, `delay_seconds` how long every answer takes.
    """

    refuse: float = 0
    too_many: float = 0
    error: float = 0
    unavailable: float = 0
    drop: float = 0
    hang: float = 0
    error_after: float = 0
    drop_after: float = 0
    hang_after: float = 0
    times: int | None = None
    down: bool = False
    delay_seconds: float = 0
    hang_seconds: float = 3600
    seed: int = 0

    SHARES = ("refuse", "too_many", "error", "unavailable", "drop", "hang", "error_after", "drop_after", "hang_after")


@dataclass(frozen=True)
class Asked:
    """One request as a stub gets it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the body as JSON. Raises ValueError."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True)
class Answer:
    """What a stub answers: a body of bytes, or anything that JSON can say."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        """Returns the body as it goes over the wire."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class NoAnswer(Exception):
    """The stub closes the connection without an answer, at once or after it hung."""


class Stub:
    """A server of threads on a local port. Subclasses answer; what they accept is kept while it runs."""

    behaviour: type[Misbehaviour] = Misbehaviour

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.Lock()
        self.accepted: list[dict[str, Any]] = []
        self._stopping = threading.Event()
        self.misbehave()
        stub = self

        class Handler(_Handler):
            owner = stub

        self._server = _Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def misbehave(self, **how: Any) -> None:
        """Misbehaves like this from now on; without words, no more. Raises TypeError for an unknown field."""
        known = {each.name for each in fields(self.behaviour)}
        if unknown := set(how) - known:
            raise TypeError(f"Unknown: {', '.join(sorted(unknown))}")
        self.how = self.behaviour(**how)
        self._dice = random.Random(self.how.seed)  # noqa: S311 - which call goes wrong is no secret

    def fate(self) -> str:
        """Returns how this request goes wrong: one of the shares' names, or ''."""
        with self.lock:
            if self.how.times is not None and self.how.times <= 0:
                return ""
            at = self._dice.random()
            for name in Misbehaviour.SHARES:
                at -= getattr(self.how, name)
                if at < 0:
                    if self.how.times is not None:
                        self.how.times -= 1
                    return name
            return ""

    def hang(self) -> NoAnswer:
        """Waits as long as this stub hangs, and returns what to raise then."""
        self._stopping.wait(self.how.hang_seconds)
        return NoAnswer()

    def answer(self, asked: Asked) -> Answer:
        """Answers the requests that every stub knows, and passes on the others."""
        match asked.method, asked.path:
            case "POST", "/misbehave/":
                try:
                    self.misbehave(**(asked.json() or {}))
                except (TypeError, ValueError) as error:
                    return Answer(400, {"error": str(error)})
                return Answer(200, {})
            case "GET", "/accepted/":
                with self.lock:
                    return Answer(200, list(self.accepted))
        if self.how.delay_seconds:
            self._stopping.wait(self.how.delay_seconds)
        if self.how.down:
            return Answer(503, b"Service unavailable")
        return self.answer_own(asked)

    def answer_own(self, asked: Asked) -> Answer:
        """Answers what is this stub's own. Raises NoAnswer."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that were killed in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    owner: Stub

    def _respond(self) -> None:
        try:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            headers = {name.title(): value for name, value in self.headers.items()}
            answer = self.owner.answer(Asked(self.command, parts.path, query, headers, body))
        except NoAnswer:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        data = answer.data()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_MKCOL = do_MOVE = do_DELETE = _respond  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: one line a request would drown a test."""


def serve(kind: type[Stub]) -> None:
    """Runs a stub until it is interrupted: `--port 0` takes any; prints its address on one line."""
    parser = ArgumentParser(description=kind.__doc__)
    parser.add_argument("--port", type=int, default=0)
    with kind(parser.parse_args().port) as stub:
        print(stub.url, flush=True)  # noqa: T201 - whoever started it reads the address
        threading.Event().wait()

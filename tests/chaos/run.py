"""`make chaos`: messages sent while workers, PostgreSQL and Redis are killed and suppliers misbehave.

Prints figures as JSON on its last line. Environment: CHAOS_MESSAGES (20000; a fifth of them letters),
CHAOS_KILLS (50), CHAOS_SEED, CHAOS_SECONDS (600: it gives up). What is killed when depends on how much is
done, so that all of it happens while there is work.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.holds import Holds
from tests.chaos.worker import WAKE, run
from tests.chaos.world import NOTIFY, PRINTER, World, make_batches, world

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "20000"))
KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
SEED = int(os.environ.get("CHAOS_SEED", "20"))
SECONDS = int(os.environ.get("CHAOS_SECONDS", "600"))
WORKERS = 4
POSTGRES_STOPS = 2
REDIS_KILLS = 2
#: All kills happen before this share of the messages is settled.
_LAST_KILL = 0.9
_SAMPLE_SECONDS = 4.0
_HOLDS_SECONDS = 0.5


@dataclass
class Chaos:
    """A run: its world and workers, what was done to them, and what was seen meanwhile."""

    world: World
    dice: random.Random
    workers: list[Any] = field(default_factory=list)
    killed: int = 0
    samples: int = 0
    wrong_samples: list[str] = field(default_factory=list)
    without_database: int = 0
    planned: int = 0

    def start_workers(self) -> None:
        """Starts workers until there are four: forked from a process that has everything loaded."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.chaos.preload"])
        self.workers = [worker for worker in self.workers if worker.is_alive()]
        while len(self.workers) < WORKERS:
            worker = context.Process(target=run, daemon=True)
            worker.start()
            self.workers.append(worker)

    def kill_worker(self) -> None:
        """Kills any of the workers at once, and starts another."""
        victim = self.dice.choice(self.workers)
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        self.killed += 1
        self.start_workers()

    def wake(self) -> None:
        """Wakes the workers that wait, if Redis is there."""
        import redis
        from django.conf import settings

        try:
            redis.Redis.from_url(settings.REDIS_URL).lpush(WAKE, *range(WORKERS))
        except redis.RedisError:
            return

    def states(self) -> Counter[str]:
        """Returns how many messages are in each state."""
        from django.db.models import Count

        from letters.models import Message

        return Counter(dict(Message.objects.values_list("state").annotate(Count("pk")).order_by()))

    def sample(self) -> Counter[str]:
        """Holds the ledger against itself and the outbox against what was planned; returns the states."""
        from shielding.ledger import ledger

        states = self.states()
        self.samples += 1
        self.wrong_samples += ledger().differences
        if states.total() != self.planned:
            self.wrong_samples.append(f"{states.total()} messages of {self.planned}")
        return states


def main() -> None:
    """Runs it and prints the figures."""
    with (
        tempfile.TemporaryDirectory(prefix="shielding-chaos-", ignore_cleanup_errors=True) as folder,
        world(Path(folder)) as there,
    ):
        began = time.monotonic()
        make_batches(letters=MESSAGES // 5, texts=MESSAGES - MESSAGES // 5)
        made = time.monotonic()
        figures = _run(Chaos(there, random.Random(SEED)))  # noqa: S311 - what is killed is no secret
        figures |= {"set_up_seconds": round(made - began, 1), "chaos_seconds": round(time.monotonic() - made, 1)}
    print(json.dumps(figures))  # noqa: T201


def _run(chaos: Chaos) -> dict[str, Any]:
    from django.db import Error, connection

    from tests.chaos.outcome import outcome, settle

    there = chaos.world
    there.misbehave(there.notify, **NOTIFY, seed=SEED)
    there.misbehave(there.printer, **PRINTER, seed=SEED)
    chaos.planned = chaos.states().total()
    holds = Holds(chaos.dice)
    chaos.start_workers()
    due = _timetable()
    open_at_first = _open(chaos.sample())
    sampled = held = time.monotonic()
    deadline = sampled + SECONDS
    try:
        while time.monotonic() < deadline:
            time.sleep(0.1)
            try:
                if time.monotonic() - held > _HOLDS_SECONDS:
                    held = time.monotonic()
                    holds.change()
                states = chaos.states()
                if time.monotonic() - sampled > _SAMPLE_SECONDS:
                    sampled = time.monotonic()
                    states = chaos.sample()
                    _say(f"{dict(states)} after {chaos.killed} kills")
            except Error:
                chaos.without_database += 1
                connection.close()
                continue
            left = _open(states)
            while due and left <= open_at_first * (1 - due[0][0]):
                _strike(chaos, due.pop(0)[1])
            if not left and not due:
                break
            if not left or (not chaos.dice.randrange(20)):
                chaos.wake()
        holds.lift_all()
        rounds = settle(chaos, until=deadline)
    finally:
        for worker in chaos.workers:
            worker.kill()
            worker.join()
    chaos.sample()
    return outcome(chaos, holds) | rounds


def _timetable() -> list[tuple[float, str]]:
    """Returns at what share of the work what is struck."""
    strikes = [(_LAST_KILL * (n + 1) / KILLS, "worker") for n in range(KILLS)]
    for count, what in ((POSTGRES_STOPS, "postgres"), (REDIS_KILLS, "redis")):
        strikes += [(_LAST_KILL * (n + 1) / (count + 1), what) for n in range(count)]
    return sorted(strikes)


def _strike(chaos: Chaos, what: str) -> None:
    match what:
        case "worker":
            chaos.kill_worker()
        case "postgres":
            chaos.world.stop_postgres_at_once()
            _say("PostgreSQL was stopped")
        case "redis":
            chaos.world.kill_redis()
            _say("Redis was killed")


def _open(states: Counter[str]) -> int:
    return sum(states[state] for state in ("WAITING", "MAKING", "RELEASED"))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

"""The central search on one machine: all criteria over the extract store's Parquet, in DuckDB, shard by shard.

Every shard's results are files of their own, whole when they are there, in a folder beside `out` that
is renamed at the end: `out` is whole or absent, and a search that died goes on where it stopped.

What a folder of results holds, besides what `run_search` promises: `tally-*.parquet` (how many
people have each profile) and what an incremental search begins from (see `keeping`).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from cohort.search import details, keeping, movers
from cohort.search.codec import to_json
from cohort.search.compile import Program
from cohort.search.criteria import CodeSet, Criterion
from cohort.search.duck import Duck, first_of_each, opened
from cohort.search.movers import Since
from cohort.search.plan import Asked, Plan
from cohort.search.shards import Shard, shards
from cohort.search.totals import TALLIES, band, write_totals

_JOB = "search.json"
#: Of what a folder of results holds for searches that follow. Another version's is not begun from.
_FORMAT = 2
#: So many incremental searches may follow a full one: each makes looking people up a little slower.
_MOST_GENERATIONS = 12
#: So many shards are one to an incremental search, which looks at few of their people: each statement costs its time.
_TOGETHER = 8

Progress = Callable[[int, str], None]


class NoPatients(ValueError):
    """A search was asked for without any file of patients, which gives everybody's age and practice."""


class CannotContinue(ValueError):
    """An incremental search was asked for after one that it cannot follow: search everybody instead."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found. `people_flagged` are those of the high tier; `counts` are people by criterion slug.

    `people_without_demographics` have records that the criteria look at but no row in any file of
    patients: they cannot be flagged. Of an incremental search these two are of `people_searched`, whom it
    searched anew; `counts` are always of everybody.
    """

    people_searched: int
    people_flagged: int
    people_without_demographics: int
    counts: dict[str, int]


def run_search(
    *,
    criteria: Sequence[Criterion],
    code_sets: Mapping[str, CodeSet],
    extracts: Sequence[Path],
    search_date: date,
    out: Path,
    progress: Progress,
    memory_limit: str | None = None,
    threads: int | None = None,
    since: Since | None = None,
) -> SearchResult:
    """Searches everybody for every criterion and writes what it finds to the folder `out`.

    `extracts` are folders, newest first: of a person in several, the first's details count. Records
    dated after the search date count for nothing. Written are, a file a shard,
    `flags-*.parquet` (person, criterion, fingerprint of the evidence), `evidence-*.parquet` (person,
    criterion, clause, system, code, event_date, source, detail, code_list) and `people-*.parquet` (the
    columns of patients) of the high tier, and for both tiers `counts.parquet` (criterion,
    practice_code, people), `groups.parquet` (criterion, age_band, sex, people), `combinations.parquet`
    (criteria, people: who meets exactly these) and `attrition.parquet` (criterion, path, label, people,
    remaining: see `verdicts.Attrition`). The same inputs give the same rows in the same order. `progress`
    is called in this thread with a percentage and what is being done; an exception from it stops the
    search and is raised. Called again with the same arguments after it stopped, a search goes on with
    the shards that are not done; `discard` forgets them.

    `since` searches only people whose records, details, age or windows changed: flags, evidence and
    people are then of those alone, whom `searched-*.parquet` (person) names, and the rest of everybody.

    Raises NoPatients, UnknownCodeList, ValueError where two criteria share a slug or there are none,
    and CannotContinue.
    """
    plan = plan_of(criteria, code_sets, search_date)
    slots = _slots(extracts, since)
    count = len(shards(extracts))
    parts = shards(extracts, {name: n for n, name in enumerate(slots)}, together=_TOGETHER if since else 1)
    if not any(part.patients for part in parts):
        raise NoPatients("a search needs at least one file of patients")
    job = _job(plan, extracts, since, slots, count) | {"details": _with_details(parts, slots)}
    generation = _generation(since, job) if since else 0
    folder = _begin(out, job)
    told = _Told(progress, len(parts))
    with opened(folder / "spill", memory_limit, threads) as duck:
        told.at(0, 0, "Opening the extracts")
        program = Program(plan)
        for given in program.given:
            duck.give(given)
        for part in parts:
            _Search(duck, program, part, folder, told, since, generation, slots).run()
        told.at(len(parts), 0, "Adding up")
        base = since.results if since else None
        counts = write_totals(duck, program, folder, base)
    done = [json.loads((folder / f"done-{part.name}.json").read_text()) for part in parts]
    finish(folder, out)
    told.at(len(parts), 1, "Done")
    totals = {name: sum(each[name] for each in done) for name in done[0]}
    return SearchResult(**totals, counts=counts)


def plan_of(criteria: Sequence[Criterion], code_sets: Mapping[str, CodeSet], search_date: date) -> Plan:
    """Returns the plan of a search. Raises UnknownCodeList and ValueError as `run_search` does."""
    slugs = [criterion.slug for criterion in criteria]
    if not slugs or len(set(slugs)) < len(slugs):
        raise ValueError("a search needs criteria, each with a slug of its own")
    return Plan([Asked(criterion, code_sets) for criterion in criteria], search_date)


def discard(out: Path) -> None:
    """Removes the results in `out`, and those of a search for it that did not end."""
    for folder in (out, unfinished(out)):
        shutil.rmtree(folder, ignore_errors=True)


def unfinished(out: Path) -> Path:
    """Returns the folder that results are made in before they are `out`."""
    return out.with_name(f".{out.name}.part")


def _slots(extracts: Sequence[Path], since: Since | None) -> list[str]:
    """Returns the names of the extracts, each supplier's in the place it had before. Raises CannotContinue."""
    names = [folder.name for folder in extracts]
    if since is None:
        return names
    slots = movers.slots_after(job_of(since.results)["slots"], since.changes)
    if sorted(slots) != sorted(names):
        raise CannotContinue("the extracts do not follow those of the search before")
    return slots


def _job(plan: Plan, extracts: Sequence[Path], since: Since | None, slots: list[str], count: int) -> dict[str, object]:
    """Returns what tells one search from another."""
    definitions = json.dumps([to_json(criterion) for criterion in plan.criteria], sort_keys=True)
    bearings = "\n".join(map(repr, sorted((each.measure, each.is_rival, each.code) for each in plan.bearings)))
    rules = hashlib.sha256(f"{definitions}\n{bearings}\n{plan.pairs}".encode()).hexdigest()
    return {
        "format": _FORMAT,
        "rules": rules,
        "search_date": plan.search_date.isoformat(),
        "extracts": [folder.name for folder in extracts],
        "slots": slots,
        "since": str(since.results.name) if since else "",
        "shards": count,
        "measures": plan.names(),
    }


def _with_details(parts: Sequence[Shard], slots: list[str]) -> list[int]:
    """Returns the slots of the extracts that have people's details, the one that counts first."""
    return [slots.index(name) for name in dict.fromkeys(f.path.parent.name for each in parts for f in each.patients)]


def _begin(out: Path, job: dict[str, object]) -> Path:
    """Returns the folder that a search is made in, with the finished shards of the same search if it died."""
    folder = unfinished(out)
    written = folder / _JOB
    if not (written.exists() and json.loads(written.read_text()) == job):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _write_whole(written, json.dumps(job))
    return folder


def finish(folder: Path, out: Path) -> None:
    """Makes a folder of whole results `out`, with nothing of it left to be written."""
    shutil.rmtree(folder / "spill", ignore_errors=True)
    # The marks go first: a shard that has lost its tallies must not be taken for a finished one.
    for pattern in ("done-*.json", *(f"{name}-*-of-*.parquet" for name in TALLIES)):
        for path in folder.glob(pattern):
            path.unlink()
    for each in [*folder.iterdir(), folder]:
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    shutil.rmtree(out, ignore_errors=True)
    folder.rename(out)


def _generation(since: Since, job: dict[str, object]) -> int:
    """Returns the number of the incremental search that follows `since`. Raises CannotContinue."""
    before = job_of(since.results)
    meanings = {
        "rules": "the criteria or code lists",
        "shards": "the number of shards",
        "details": "which supplier's details of people count",
    }
    for name, meaning in meanings.items():
        if before[name] != job[name]:
            raise CannotContinue(f"{meaning} changed since the search before")
    generation = 1 + max(int(path.name.split("-")[1]) for path in since.results.glob("state-*.parquet"))
    if generation > _MOST_GENERATIONS:
        raise CannotContinue("so many incremental searches have followed the last full one")
    return generation


def job_of(results: Path) -> Any:
    """Returns what a search that left results was: JSON. Raises CannotContinue where they cannot be gone on from."""
    try:
        job = json.loads((results / _JOB).read_text())
    except FileNotFoundError:
        raise CannotContinue("the results of the search before are not there") from None
    if job.get("format") != _FORMAT:
        raise CannotContinue("the results of the search before are of another version of this program")
    return job


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(text)
    part.rename(path)


class _Told:
    """Tells how far a search is, never going back."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress = progress
        self._count = count
        self._percent = 0

    def at(self, shard: int, share: float, doing: str) -> None:
        """Tells that so many shards are done and this share of the next; the last hundredth is for adding up."""
        percent = (
            100 if shard == self._count and share == 1 else int(99 * min(shard + share, self._count) / self._count)
        )
        self._percent = max(self._percent, percent)
        self._progress(self._percent, doing)


class _Search:
    """One shard of a search. Its files are whole once `done-<shard>.json` is there."""

    def __init__(
        self,
        duck: Duck,
        program: Program,
        shard: Shard,
        folder: Path,
        told: _Told,
        since: Since | None,
        generation: int,
        slots: list[str],
    ) -> None:
        self.duck = duck
        self.program = program
        self.shard = shard
        self.folder = folder
        self.told = told
        self.since = since
        self.generation = generation
        self.slots = slots

    def run(self) -> None:
        done = self.folder / f"done-{self.shard.name}.json"
        if done.exists():
            return
        duck, program = self.duck, self.program
        if self.since:
            self._tell(0, "Finding who has changed")
            movers.find(duck, program.plan, self.shard, self.since, self.slots)
            details.find(duck, self.shard, self.since, self.slots)
            self._write("searched", "SELECT person FROM searched ORDER BY person")
        else:
            duck.read(self.shard, (code for _, code in program.plan.codes))
        # Reading everybody's records, the first step, is most of the work.
        later = 0.2 / len(program.before)
        for n, step in enumerate(program.before):
            start, length = (0.4 + n * later, later) if n else (0, 0.4)
            duck.keep(step, partial(self._tell_part, start, length, "Reading everybody's records"))
            if self.since and step.name == "held":
                keeping.recall(duck, self.since.results, self.shard)
        bits, _ = duck.profiles(program, duck.sql(program.profiles))
        self._tell(0.65, "Applying the criteria")
        duck.judge(program, bits)
        for step, until in zip(program.after, (0.7, 0.85, 0.87), strict=True):
            duck.keep(step, partial(self._tell_part, until, 0, "Collecting the evidence"))
        self._write("evidence", EVIDENCE)
        self._write("flags", FLAGS)
        self._tell(0.92, "Writing what was found")
        self._write_people()
        self._write_state()
        self._write_generation("kept", keeping.kept(program.plan))
        self._write_generation("due", keeping.due_dates(duck, program))
        done_text = {
            "people_searched": self._count("SELECT count(*) FROM people"),
            "people_flagged": self._count("SELECT count(DISTINCT person) FROM flags"),
            "people_without_demographics": self._count("SELECT count(*) FROM bits ANTI JOIN people USING (person)"),
        }
        _write_whole(done, json.dumps(done_text))

    def _write_people(self) -> None:
        """Writes the whole rows of who is flagged, under a second name for searches that follow."""
        if self.since:
            people = details.flagged(self.duck, self.shard, self.since)
        else:
            everybody = first_of_each(self.shard.patients, self.shard, ["*"])
            people = f"SELECT * FROM ({everybody}) SEMI JOIN flags USING (person) ORDER BY person"
        self._write("people", people)
        again = self.folder / f"details-{self.generation:03}-{self.shard.name}.parquet"
        again.unlink(missing_ok=True)
        os.link(self.folder / f"people-{self.shard.name}.parquet", again)

    def _write_state(self) -> None:
        """Writes everybody's bits and how many have each; of an incremental search, the difference it makes."""
        words = ", ".join(self.program.words)
        state = f"person, practice_code, sex, birth_date, {band('age')} AS age_band, {words}"
        new = f"SELECT {state} FROM people"
        if not self.since:
            self._write_generation("state", new)
            tallied = f"SELECT *, 1 AS people FROM ({new})"
        else:
            before = self.since.results
            # Somebody searched who is no longer there has a row without bits, which hides those before it.
            self._write_generation("state", f"FROM searched LEFT JOIN ({new}) USING (person)")
            for left in (each for name in keeping.NAMES for each in keeping.left_by(before, name, self.shard)):
                (self.folder / left.path.name).unlink(missing_ok=True)
                os.link(left.path, self.folder / left.path.name)
            tallied = f"SELECT *, 1 AS people FROM ({new}) UNION ALL BY NAME SELECT *, -1 AS people FROM before"
        for name, keys in TALLIES.items():
            columns = ", ".join([words, *keys])
            total = "sum(people)::BIGINT AS people"
            self._write(name, f"SELECT {columns}, {total} FROM ({tallied}) GROUP BY ALL HAVING sum(people) <> 0")

    def _write_generation(self, name: str, sql: str) -> None:
        self._write(f"{name}-{self.generation:03}", sql)

    def _write(self, name: str, sql: str) -> None:
        self.duck.write(self.folder / f"{name}-{self.shard.name}.parquet", sql)

    def _count(self, sql: str) -> int:
        return int(self.duck.execute(sql).fetchone()[0])

    def _tell_part(self, start: float, length: float, doing: str, share: float) -> None:
        self._tell(start + length * share, doing)

    def _tell(self, share: float, doing: str) -> None:
        self.told.at(self.shard.number, share, doing)


#: The queries of the results that are written, over a program's tables.
EVIDENCE = (
    "SELECT person, criterion, clause, system, code, event_date, source, detail, code_list FROM evidence"
    " ORDER BY person, criterion, place, rank"
)
#: Adds up what tells one piece of evidence from another, so that landing need not compare the evidence itself.
FLAGS = (
    "SELECT person, criterion, coalesce(fingerprint, 0) AS fingerprint FROM flags LEFT JOIN (SELECT person, criterion,"
    " (sum(md5_number_lower(concat_ws(chr(31), clause, system, code, coalesce(event_date::VARCHAR, ''), source, detail,"
    " code_list))::HUGEINT) % 9223372036854775807)::BIGINT AS fingerprint FROM evidence GROUP BY ALL)"
    " USING (person, criterion) ORDER BY person, criterion"
)

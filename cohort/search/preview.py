"""How many people one edited criterion is, over the whole extract, while its author looks on. Writes nothing.

Reads only the blocks of the extract that hold the codes of the clauses nobody has searched for yet. What the
last search left says who everybody is, and for whom each clause that it had is true, where it searched the
same extracts on the same day.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path
from typing import get_args

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np

from cohort.search.compile import PATIENTS, Settling, age_at, words_with_person
from cohort.search.counting import one_pass, one_pass_bits
from cohort.search.criteria import Age, CodeSet, Criterion, RecordLeaf, Sex
from cohort.search.duck import Duck, first_of_each, opened
from cohort.search.engine import CannotContinue, job_of
from cohort.search.given import Given
from cohort.search.keeping import newest
from cohort.search.plan import WORD, Asked, Plan
from cohort.search.shards import File, Shard, every_file
from cohort.search.totals import OLDEST_BAND, band
from cohort.search.truth import kinds, without_records
from cohort.search.verdicts import Attrition, Bits, Verdicts

_DRAFT, _PUBLISHED = "draft", "published"
#: A search's bands, but for 15 and 16 to 19: working age begins at 16.
_BAND = f"CASE WHEN age = 15 THEN '15' WHEN age BETWEEN 16 AND 19 THEN '16-19' ELSE {band('age')} END"
#: The youngest of each: numbers are grouped faster than words.
_YOUNGEST = (
    f"CASE WHEN age >= {OLDEST_BAND} THEN {OLDEST_BAND} WHEN age BETWEEN 16 AND 19 THEN 16 ELSE age // 5 * 5 END"
)


#: The words of people who are alike, in the order of `_Kept.words`.
Profile = tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """How many people of one age band, sex and practice meet the draft, the published version, or both.

    Bands are a search's, save that 15 and 16-19 are apart, because working age begins at 16.
    """

    age_band: str
    sex: str
    practice_code: str
    draft: bool
    published: bool
    people: int


@dataclass(frozen=True)
class Preview:
    """What a draft would find. `clauses` are its attrition; `seconds` is what it took."""

    cells: list[Cell]
    clauses: list[Attrition]
    seconds: float


def preview(
    *,
    draft: Criterion,
    draft_code_sets: Mapping[str, CodeSet],
    published: Criterion | None = None,
    published_code_sets: Mapping[str, CodeSet] | None = None,
    extracts: Sequence[Path],
    search_date: date,
    results: Path | None = None,
    threads: int | None = None,
) -> Preview:
    """Returns how many people meet the draft, beside the published version where there is one.

    `extracts` are folders, newest first; without any, nobody is found. `results` are what a search left: where
    they are of these extracts and this day they save time, and change nothing. Raises UnknownCodeList.
    """
    began = time.perf_counter()
    asked = [Asked(replace(draft, slug=_DRAFT), draft_code_sets)]
    if published is not None:
        asked.append(Asked(replace(published, slug=_PUBLISHED), published_code_sets or {}))
    plan = Plan(asked, search_date)
    cells: list[Cell] = []
    clauses: list[Attrition] = []
    if every_file(extracts, "patients"):
        kept = _kept(plan, extracts, results)
        try:
            cells, clauses = _count(plan, extracts, kept, threads)
        except duckdb.Error:
            if kept.results is None:
                raise
            # The next search to land removes those results, whoever reads them.
            cells, clauses = _count(plan, extracts, _Kept(plan), threads)
    return Preview(cells, clauses, time.perf_counter() - began)


@dataclass(frozen=True)
class _Kept:
    """Which measures of a plan are kept in what a search left; `numbers` gives each the search's own number."""

    plan: Plan
    results: Path | None = None
    numbers: Mapping[int, int] = field(default_factory=dict)

    @property
    def new(self) -> Plan:
        """The plan for the measures that are not kept."""
        return self.plan.only([n for n in range(len(self.plan.measures)) if n not in self.numbers])

    @property
    def words(self) -> list[str]:
        """The words that people are counted by: the kept ones (`k0`: the search's `b0`), then the plan's own."""
        kept = sorted({number // WORD for number in self.numbers.values()})
        return [*(f"k{word}" for word in kept), *(f"b{word}" for word in range(self.plan.words))]

    def place(self, measure: int) -> tuple[str, int]:
        """Returns the word that has a measure, and its bit."""
        name, number = ("k", self.numbers[measure]) if measure in self.numbers else ("b", measure)
        return f"{name}{number // WORD}", number % WORD

    def masks(self, *kinds: type) -> dict[str, int]:
        """Returns of each word the bits of clauses of these kinds."""
        masks = dict.fromkeys(self.words, 0)
        for n, leaf in enumerate(self.plan.measures):
            if isinstance(leaf, kinds):
                word, bit = self.place(n)
                masks[word] |= 1 << bit
        return masks


def _kept(plan: Plan, extracts: Sequence[Path], results: Path | None) -> _Kept:
    if results is None:
        return _Kept(plan)
    try:
        job = job_of(results)
    except CannotContinue:
        return _Kept(plan)
    names = [folder.name for folder in extracts]
    if job["extracts"] != names or job["search_date"] != plan.search_date.isoformat():
        return _Kept(plan)
    numbers = {name: number for number, name in enumerate(job.get("measures", []))}
    return _Kept(plan, results, {n: numbers[name] for n, name in enumerate(plan.names()) if name in numbers})


def _count(
    plan: Plan, extracts: Sequence[Path], kept: _Kept, threads: int | None
) -> tuple[list[Cell], list[Attrition]]:
    everything = Shard(
        0,
        1,
        tuple(File(path, picks=False) for path in every_file(extracts, "patients")),
        tuple(File(path, picks=False) for path in every_file(extracts, "records")),
    )
    words = ", ".join(kept.words)
    rules = [criterion.rule for criterion in plan.criteria]
    # Whoever has no record that counts, as most have none, is left aside where none of them can be met.
    is_for_all = any(without_records(rule, kind) for rule in rules for kind in kinds(rule))
    with tempfile.TemporaryDirectory() as spill, opened(Path(spill), threads=threads) as duck:
        duck.execute(f"CREATE TEMPORARY VIEW everybody AS {_everybody(everything, kept)}")
        has_bits = _count_bits(duck, kept.new, everything)
        people = duck.sql(_people(kept, has_bits=has_bits, is_for_all=is_for_all))
        duck.execute(
            f"CREATE TEMPORARY TABLE cells AS SELECT {words}, {_YOUNGEST} AS age, sex, practice_code,"
            f" count(*) AS people FROM ({people}) GROUP BY ALL"
        )
        profiles = _counted(duck, f"SELECT {words}, sum(people)::BIGINT FROM cells GROUP BY ALL")
        if not is_for_all:
            profiles |= _others(profiles, _counted(duck, duck.sql(_alone(kept))), kept)
        verdicts = Verdicts(plan, _plan_bits(list(profiles), kept))
        duck.give(_met(list(profiles), verdicts, kept.words))
        rows = duck.execute(
            f"SELECT {_BAND} AS age_band, sex, practice_code, draft, published, sum(people)::BIGINT"
            f" FROM cells JOIN met USING ({words}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    attrition = verdicts.attrition(np.array(list(profiles.values()), dtype=np.int64))
    return [Cell(*row) for row in rows], [row for row in attrition if row.criterion == _DRAFT]


def _everybody(everything: Shard, kept: _Kept) -> str:
    """Returns a query for everybody's details, with those bits of theirs that are kept and asked for."""
    if kept.results is None:
        return first_of_each(everything.patients, everything, PATIENTS)
    masks = kept.masks(object)
    masked = [f"b{word[1:]} & {masks[word]} AS {word}" for word in kept.words if word.startswith("k")]
    # Who is no longer there has a row without bits.
    return newest(kept.results, "state", everything, "WHERE b0 IS NOT NULL", ", ".join([*PATIENTS, *masked]))


def _count_bits(duck: Duck, new: Plan, everything: Shard) -> bool:
    """Makes the table `bits` of people for whom records make a measure true, or says that no record is looked at."""
    easy = new.only(one_pass(new))
    hard = new.only(sorted({each.measure for each in new.bearings if each.measure >= 0} - set(one_pass(new))))
    parts = []
    if hard.bearings:
        program = Settling(hard)
        for given in program.given:
            duck.give(given)
        duck.read(everything, (code for _, code in hard.codes))
        for step in program.before:
            duck.keep(step)
        duck.execute("ALTER TABLE bits RENAME TO settled_bits")
        parts.append("FROM settled_bits")
    if easy.bearings:
        duck.read(everything, (code for _, code in easy.codes))
        parts.append(one_pass_bits(easy))
    if not parts:
        return False
    both = f"({' UNION ALL BY NAME '.join(f'({part})' for part in parts)})"
    words = ", ".join(f"bit_or(b{n}) AS b{n}" for n in range(new.words))
    # A table, so that DuckDB sees how few they are and looks everybody up among them, not them among everybody.
    duck.execute(
        f"CREATE TEMPORARY TABLE bits AS SELECT person, {words} FROM {both} GROUP BY person"
        if len(parts) > 1
        else f"CREATE TEMPORARY TABLE bits AS {parts[0]}"
    )
    return True


def _people(kept: _Kept, *, has_bits: bool, is_for_all: bool) -> ir.Table:
    """Returns details, age and words of everybody, or of those alone for whom a record makes a clause true."""
    everybody = _table(kept)
    own = [f"b{n}" for n in range(kept.plan.words)]
    bits = ibis.table({"person": "int64", **dict.fromkeys(own, "int64")}, "bits")
    seen = {word: mask for word, mask in kept.masks(*get_args(RecordLeaf)).items() if mask and word not in own}
    if not has_bits:
        people = everybody.mutate(**{word: ibis.literal(0, "int64") for word in own})
    elif is_for_all or seen:
        people = everybody.left_join(bits, "person")
    else:
        people = everybody.join(bits, "person")
    if not is_for_all:
        true = [(people[word] & ibis.literal(mask, "int64")) != 0 for word, mask in seen.items()]
        people = people.filter(reduce(or_, [*true, *(people[word].fill_null(0) != 0 for word in own)]))
    age = age_at(kept.plan.search_date, people.birth_date)
    return people.select("practice_code", "sex", *_kept_words(kept), age=age, **words_with_person(kept.new, people))


def _alone(kept: _Kept) -> ir.Table:
    """Returns everybody by what their age and sex alone make true: words, and how many people."""
    masks = kept.masks(Age, Sex)
    none = {f"b{n}": ibis.literal(0, "int64") for n in range(kept.plan.words)}
    everybody = _table(kept).mutate(**none)
    words = {word: everybody[word] & ibis.literal(masks[word], "int64") for word in _kept_words(kept)}
    words |= words_with_person(kept.new, everybody)
    people = everybody.select(**words)
    return people.group_by(kept.words).aggregate(people=people.count())


def _table(kept: _Kept) -> ir.Table:
    return ibis.table({**PATIENTS, **dict.fromkeys(_kept_words(kept), "int64")}, "everybody")


def _kept_words(kept: _Kept) -> list[str]:
    return [word for word in kept.words if word.startswith("k")]


def _counted(duck: Duck, sql: str) -> dict[Profile, int]:
    """Returns how many people have each profile, from a query for words and a number."""
    return {tuple(row[:-1]): row[-1] for row in duck.execute(sql).fetchall()}


def _others(profiles: Mapping[Profile, int], everybody: Mapping[Profile, int], kept: _Kept) -> dict[Profile, int]:
    """Returns the profiles of those for whom no record makes anything true, `everybody` being `_alone`."""
    masks = [kept.masks(Age, Sex)[word] for word in kept.words]
    others = Counter(everybody)
    for profile, people in profiles.items():
        others[tuple(word & mask for word, mask in zip(profile, masks, strict=True))] -= people
    return dict(others)


def _plan_bits(profiles: Sequence[Profile], kept: _Kept) -> Bits:
    """Returns the words of profiles as the plan numbers them, from the words that they were counted by."""
    columns = dict(zip(kept.words, np.array(profiles, dtype=np.int64).reshape(-1, len(kept.words)).T, strict=True))
    bits = np.zeros((len(profiles), kept.plan.words), dtype=np.int64)
    for n in range(len(kept.plan.measures)):
        word, bit = kept.place(n)
        bits[:, n // WORD] |= ((columns[word] >> bit) & 1) << (n % WORD)
    return bits


def _met(profiles: Sequence[Profile], verdicts: Verdicts, words: Sequence[str]) -> Given:
    """Returns the table of the profiles that meet the draft or the published version, and which."""
    schema = ibis.schema({**dict.fromkeys(words, "int64"), _DRAFT: "boolean", _PUBLISHED: "boolean"})
    met = verdicts.met
    rows = [(*profiles[n], bool(met[n, 0]), bool(met[n, 1:].any())) for n in map(int, np.flatnonzero(met.any(axis=1)))]
    return Given("met", schema, rows)

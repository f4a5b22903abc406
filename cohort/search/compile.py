"""A plan as Ibis expressions: tables in, tables out, no engine named.

The records are read once (`held`). Rows that need others beside them (pairs, episodes, the latest of
two) are settled apart; each person's true measures become bits (`people`). What a person's bits come
to is worked out in Python (`verdicts`) and joined back (`met`, `evidence`). The number and size of
the queries does not grow with the criteria. Dates of windows are worked out in Python, so that a
month means the same in every engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from cohort.search.criteria import (
    EVIDENCE_LIMIT,
    SEX_WORDS,
    Age,
    LatestOfTwo,
    LatestValue,
    NotFollowedBy,
    SameEpisode,
    Sex,
)
from cohort.search.given import Given, given_tables
from cohort.search.plan import SECOND, WORD, Plan
from cohort.search.terms import EVERY_SOURCE, CountedAs, Source, months_before
from cohort.search.verdicts import Verdicts

_LATEST = (LatestOfTwo, LatestValue, NotFollowedBy)

#: `slot` tells the extracts of one supplier from those of another, for searches that follow; no rule looks at it.
RECORDS = ibis.schema(
    {
        "person": "int64",
        "system": "string",
        "code": "string",
        "date": "date",
        "source": "string",
        "value": "float64",
        "episode": "string",
        "slot": "int8",
    }
)
PATIENTS = ibis.schema({"person": "int64", "practice_code": "string", "sex": "string", "birth_date": "date"})


@dataclass(frozen=True)
class Step:
    """A table that the engine makes and keeps under a name, for the steps after it."""

    name: str
    expression: ir.Table

    @property
    def table(self) -> ir.Table:
        """The kept table as an expression."""
        return ibis.table(self.expression.schema(), self.name)


class Settling:
    """The queries of a search as far as each person's bits, in `before`: its last step, `bits` (person and words).

    Nothing is kept that only evidence needs.
    """

    _is_for_evidence = False

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._needs_others = bool(plan.pairs or plan.numbers(SameEpisode))
        self.words = [f"b{n}" for n in range(plan.words)]
        self.records = ibis.table(RECORDS, "records")
        self.given = given_tables(plan)
        self._tables = {each.name: each.table for each in self.given}
        self.before: list[Step] = []
        self._held = self._hold()
        self.settled = self._settle()
        self._keep_before("bits", self._bits())

    def _keep_before(self, name: str, expression: ir.Table) -> ir.Table:
        step = Step(name, expression)
        self.before.append(step)
        return step.table

    def _hold(self) -> ir.Table:
        """Returns `held`, kept unless it is read once."""
        held = self._bearing_records()
        if self._is_for_evidence:
            return self._keep_before("held", held)
        held = held.drop("source", "slot", "bearing", *(() if self._needs_others else ("episode", "code_id")))
        is_read_once = not self.plan.pairs and not self.plan.numbers(SameEpisode, *_LATEST)
        return held if is_read_once else self._keep_before("held", held)

    def _bearing_records(self) -> ir.Table:
        """Returns every record that bears on a measure, once for each: right code, window, source and value."""
        bearings = self._tables["bearings"]
        rows = self.records.join(bearings, ["system", "code"])
        rows = rows.filter(rows.date >= rows.first, rows.date <= rows.last)
        asked = self.plan.bearings
        if any(bearing.sources != frozenset(EVERY_SOURCE) for bearing in asked):
            of = {Source.GP: rows.gp, Source.MEDICINES: rows.medicines, Source.HOSPITAL: rows.hospital}
            rows = rows.filter(
                rows.source.cases(*((source.value, column) for source, column in of.items()), else_=False)
            )
        if any(bearing.value is not None or bearing.needs_value for bearing in asked):
            rows = rows.filter(
                rows.low.isnull() | (rows.value >= rows.low).fill_null(False),
                rows.high.isnull() | (rows.value < rows.high).fill_null(False),
                ~rows.needs_value | rows.value.notnull(),
            )
        of_record = ["person", "date", "source", "episode", "slot"]
        return rows.select(*of_record, "bearing", "measure", "is_rival", "is_alone", "code_id")

    def _settle(self) -> ir.Table:
        """Returns the rows that count: (person, measure, code_id, date, source, others).

        `others` are the codes beside the row's own in its episode. Rows that stand for themselves are
        taken as they are; those that need others are settled and kept.
        """
        plan = self.plan
        held = self._held
        columns = ["person", "measure", "date", *(("code_id", "source") if self._is_for_evidence else ())]
        none = ibis.literal("")
        needing = plan.numbers(SameEpisode, *_LATEST)
        plain = held.filter(held.is_alone, held.measure != SECOND)
        if not needing and not plan.pairs:
            return plain.select(*columns, others=none)
        simple = plain.filter(plain.measure.notin(needing)) if needing else plain
        both = held.filter(held.is_alone, held.measure.isin(needing)).mutate(others=none)
        parts = []
        if plan.pairs:
            paired = self._keep_before("paired", self._paired(held))
            both = both.union(paired.filter(paired.measure.isin(needing)).select(*both.columns))
            parts.append(paired.filter(paired.measure.notin(needing)))
        for numbers, settle in ((plan.numbers(SameEpisode), self._beside), (plan.numbers(*_LATEST), self._latest)):
            if numbers:
                parts.append(settle(both.filter(both.measure.isin(numbers))))
        settled = reduce(lambda one, other: one.union(other), [part.select(*columns, "others") for part in parts])
        settled = self._keep_before("settled", settled)
        return simple.select(*columns, others=none).union(settled)

    def _paired(self, held: ir.Table) -> ir.Table:
        """Returns the first codes of pairs whose second is in their episode, as rows of `held` with `others`."""
        pairs = self._tables["pairs"]
        there = held.filter(held.episode != "")
        firsts = there.filter(~there.is_alone)
        seconds = there.filter(there.measure == SECOND).select("person", "episode", second_id="code_id").distinct()
        keys = ["person", "episode", "measure", "is_rival", "code_id"]
        found = firsts.select(*keys).distinct().join(pairs, ["measure", "is_rival", "code_id"])
        found = found.join(seconds, ["person", "episode", "second_id"])
        return firsts.join(self._others(found, keys, found.second_id), keys)

    def _beside(self, rows: ir.Table) -> ir.Table:
        """Returns the rows of a clause of one episode that have a record of the other list beside them."""
        rows = rows.filter(rows.episode != "")
        rivals = rows.filter(rows.is_rival)
        rivals = rivals.select("person", "measure", "episode", second_id="code_id").distinct()
        main = rows.filter(~rows.is_rival).drop("others")
        keys = ["person", "measure", "episode", "code_id"]
        found = main.select(*keys).distinct().join(rivals, ["person", "measure", "episode"])
        found = found.filter(found.second_id != found.code_id)
        return main.join(self._others(found, keys, found.second_id), keys)

    def _others(self, found: ir.Table, keys: Sequence[str], code_id: Any) -> ir.Table:
        """Returns the keys with `others`: the different codes beside, in order, as one text."""
        codes = self._tables["codes"]
        named = found.select(*keys, other_id=code_id)
        named = named.join(codes, named.other_id == codes.code_id, rname="{name}_beside")
        named = named.select(*keys, "code").distinct()
        return named.group_by(keys).aggregate(others=named.code.collect().sort().join(", "))

    def _latest(self, rows: ir.Table) -> ir.Table:
        """Returns the rows that no rival of the same person and measure is later than."""
        rivals = rows.filter(rows.is_rival)
        rivals = rivals.group_by("person", "measure").aggregate(last=rivals.date.max())
        main = rows.filter(~rows.is_rival).left_join(rivals, ["person", "measure"])
        return main.filter(main["last"].isnull() | (main.date >= main["last"]))

    def _bits(self) -> ir.Table:
        """Returns each person whom any record makes a measure true for, with their bits."""
        plan, rows = self.plan, self.settled
        once = rows.filter(rows.measure.isin(plan.counted(None))).select("person", "measure")
        many = rows.filter(rows.measure.notin(plan.counted(None)))
        counted = self._tables["counted"]
        true = [once]
        if numbers := plan.counted(CountedAs.RECORDS):
            found = many.filter(many.measure.isin(numbers))
            true.append(_enough(found.group_by("person", "measure").aggregate(n=found.count()), counted))
        days = many.select("person", "measure", "date").distinct()
        if numbers := plan.counted(CountedAs.DISTINCT_DATES):
            found = days.filter(days.measure.isin(numbers))
            true.append(_enough(found.group_by("person", "measure").aggregate(n=found.count()), counted))
        if numbers := plan.counted(CountedAs.COURSES):
            found = days.filter(days.measure.isin(numbers)).join(counted, "measure")
            window = ibis.window(group_by=[found.person, found.measure], order_by=found.date)
            before = found.date.lag().over(window)
            found = found.mutate(begins=before.isnull() | (found.date.delta(before, unit="day") > found.gap))
            found = found.group_by("person", "measure").aggregate(n=found.begins.cast("int64").sum())
            true.append(_enough(found, counted))
        rows = reduce(lambda one, other: one.union(other), true)
        return rows.group_by("person").aggregate(
            **{
                word: bit_or(
                    ibis.ifelse(rows.measure // WORD == n, _bit(rows.measure % WORD), ibis.literal(0, "int64"))
                    if len(self.words) > 1
                    else _bit(rows.measure)
                )
                for n, word in enumerate(self.words)
            }
        )


class Program(Settling):
    """The queries of one search: given tables, then steps in order, over `records` and `patients`.

    `patients` has each person once. After `people`, the last step of `before`, the engine works out the
    verdicts of `profiles`, makes the tables of `verdict_schemas` and goes on with the steps of `after`.
    """

    _is_for_evidence = True

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.patients = ibis.table(PATIENTS, "patients")
        self.people = self._keep_before("people", self._people())
        self.profiles = self.people.group_by(self.words).aggregate(people=self.people.count())
        self.verdict_schemas = {
            "verdicts": ibis.schema({**dict.fromkeys(self.words, "int64"), "profile": "int64", "is_high": "boolean"}),
            "criteria": ibis.schema(
                {"profile": "int64", "number": "int64", "criterion": "string", "is_high": "boolean"}
            ),
            "reasons": ibis.schema({"profile": "int64", "number": "int64", "place": "int16"}),
        }
        verdict, criteria, reasons = (ibis.table(schema, name) for name, schema in self.verdict_schemas.items())
        met = self.people.join(verdict, self.words).drop(*self.words)
        self.after = [Step("met", met)]
        high = self.after[0].table
        high = high.filter(high.is_high)
        self.after.append(Step("evidence", self._evidence(high, reasons)))
        flags = high.select("person", "profile").join(criteria.filter(criteria.is_high), "profile")
        self.after.append(Step("flags", flags.select("person", "criterion")))

    def judged(self, verdicts: Verdicts) -> list[Given]:
        """Returns the tables of `verdict_schemas`, of the profiles that meet any criterion."""
        plan = self.plan
        high = verdicts.met[:, plan.high()].sum(axis=1) > 0
        met = [np.flatnonzero(row) for row in verdicts.met]
        rows: dict[str, list[tuple[Any, ...]]] = {
            "verdicts": [
                (*map(int, verdicts.bits[n]), n, bool(high[n])) for n, numbers in enumerate(met) if len(numbers)
            ],
            "criteria": [
                (n, int(k), plan.criteria[k].slug, int(k) in plan.high())
                for n, numbers in enumerate(met)
                for k in numbers
            ],
            "reasons": list(verdicts.reasons()),
        }
        return [Given(name, schema, rows[name]) for name, schema in self.verdict_schemas.items()]

    def _people(self) -> ir.Table:
        """Returns everybody searched: `person`, `practice_code`, `sex`, `birth_date`, `age`, and their bits."""
        plan = self.plan
        bits = self.before[-1].table
        people = self.patients.left_join(bits, "person")
        words = words_with_person(plan, people)
        return people.select(
            "person", "practice_code", "sex", "birth_date", age=age_at(plan.search_date, people.birth_date), **words
        )

    def _evidence(self, high: ir.Table, reasons: ir.Table) -> ir.Table:
        """Returns the evidence of every flag, newest first within a clause, at most EVIDENCE_LIMIT rows a clause."""
        clauses, codes = self._tables["clauses"], self._tables["codes"]
        asked = high.join(reasons, "profile").join(clauses, ["number", "place"])
        asked = asked.select("person", "age", "sex", "number", "measure", "criterion", "place", "clause", "code_list")
        rows = asked.join(self.settled, ["person", "measure"]).join(codes, "code_id")
        rows = rows.select(
            "person",
            "criterion",
            "place",
            "clause",
            "system",
            "code",
            event_date=rows.date,
            source=rows.source,
            detail=ibis.ifelse(
                rows.others == "", "", ibis.literal("With ") + rows.others + ibis.literal(" in the same episode")
            ),
            code_list=rows.code_list,
        )
        if self.plan.numbers(Age, Sex):
            rows = rows.union(self._about_people(asked))
        order = [ibis.desc(rows.event_date), rows.system, rows.code, rows.source, rows.detail]
        rank = ibis.row_number().over(group_by=[rows.person, rows.criterion, rows.place], order_by=order)
        rows = rows.mutate(rank=rank)
        return rows.filter(rows.rank < EVIDENCE_LIMIT)

    def _about_people(self, asked: ir.Table) -> ir.Table:
        rows = asked.filter(asked.measure.isin(self.plan.numbers(Age, Sex)))
        sex = rows.sex.cases(*((code.value, word) for code, word in SEX_WORDS.items()), else_="")
        aged = ibis.literal("Aged ") + rows.age.cast("string")
        is_sex = rows.measure.isin(self.plan.numbers(Sex)) if self.plan.numbers(Sex) else ibis.literal(False)
        none = ibis.literal("")
        return rows.select(
            "person",
            "criterion",
            "place",
            "clause",
            system=none,
            code=none,
            event_date=ibis.null("date"),
            source=none,
            detail=ibis.ifelse(is_sex, sex, aged),
            code_list=none,
        )


def first_wins(tables: Sequence[ir.Table]) -> ir.Table:
    """Returns each person once, from the first table that has them."""
    known = tables[0]
    for table in tables[1:]:
        known = known.union(table.anti_join(known, "person"))
    return known


def _enough(found: ir.Table, counted: ir.Table) -> ir.Table:
    found = found.join(counted, "measure")
    return found.filter(found.n >= found.at_least).select("person", "measure")


def _bit(number: Any) -> Any:
    # Shifted down from the highest: Spark takes a small number for one of 32 bits, and would shift it out of them.
    return ibis.literal(1 << (WORD - 1), "int64") >> (WORD - 1 - number.cast("int32"))


@ibis.udf.agg.builtin(name="bit_or")
def bit_or(bits: int) -> int:  # type: ignore[empty-body]
    """Every engine's own: Ibis has no words for it on Spark."""


def words_with_person(plan: Plan, people: ir.Table) -> dict[str, Any]:
    """Returns the words of people joined with their bits, the bits of clauses about age and sex among them."""
    words = {}
    for n in range(plan.words):
        total = people[f"b{n}"].fill_null(0)
        for number in plan.numbers(Age, Sex):
            if number // WORD == n:
                holds = _about_person(plan.measures[number], people, plan)
                bit = ibis.literal(1 << number % WORD, "int64")
                total = total + ibis.ifelse(holds, bit, ibis.literal(0, "int64"))
        words[f"b{n}"] = total
    return words


def age_at(day: date, birth_date: Any) -> Any:
    """Returns the age on a day in whole years, as an expression."""
    not_yet = birth_date.month() * 100 + birth_date.day() > day.month * 100 + day.day
    return (ibis.literal(day.year) - birth_date.year() - not_yet.cast("int32")).cast("int16")


def _about_person(leaf: Any, people: ir.Table, plan: Plan) -> Any:
    if isinstance(leaf, Sex):
        return people.sex.isin([code.value for code in leaf.any_of])
    # Whoever is so many years old was born on this day or before it.
    born = [
        months_before(plan.search_date, 12 * limit.value) if limit else None for limit in (leaf.at_least, leaf.under)
    ]
    holds = ibis.literal(True)
    if born[0]:
        holds = people.birth_date <= ibis.literal(born[0])
    return holds & (people.birth_date > ibis.literal(born[1])) if born[1] else holds

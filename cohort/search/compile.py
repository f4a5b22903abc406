"""Criteria as Ibis expressions: tables in, tables out, no engine named.

The records are read once. Each row that matters is given the code lists it belongs to; one GROUP BY
person makes every count and latest date that any criterion needs (a measure); each criterion is then
a boolean over those columns, the person's age and sex. Dates of windows are worked out in Python, so
that a month means the same in every engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import reduce
from operator import and_, or_
from typing import Any

import ibis
import ibis.expr.types as ir

from cohort.search.criteria import (
    EVIDENCE_LIMIT,
    SEX_WORDS,
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    CodeSet,
    Criterion,
    Leaf,
    NoneOf,
    NotFollowedBy,
    Records,
    Sex,
    code_lists,
    leaves,
)
from cohort.search.terms import EVERY_SOURCE, CountedAs, Source, Tier


class Kind(StrEnum):
    """What a measure is of the records it looks at: how many, on how many days, the latest day."""

    RECORDS = "RECORDS"
    DATES = "DATES"
    LATEST = "LATEST"


@dataclass(frozen=True)
class Measure:
    """One column of the GROUP BY; two criteria that need the same one share it."""

    kind: Kind
    code_list: str
    sources: frozenset[Source]
    start: date | None


class Plan:
    """All criteria of one search, with the measures they need and the codes they read."""

    def __init__(self, criteria: Sequence[Criterion], code_sets: Mapping[str, CodeSet], search_date: date) -> None:
        self.criteria = list(criteria)
        self.search_date = search_date
        self.high = [n for n, criterion in enumerate(self.criteria) if criterion.tier is Tier.HIGH]
        self.lists = sorted({slug for criterion in criteria for slug in code_lists(criterion)})
        self.code_sets = {slug: code_sets[slug] for slug in self.lists}
        needed = (m for c in self.criteria for leaf in leaves(c.rule) for m in self.measures_of(leaf))
        self.measures = {measure: f"m{n}" for n, measure in enumerate(dict.fromkeys(needed))}

    def measures_of(self, leaf: Leaf) -> list[Measure]:
        """Returns the measures that a clause is worked out from."""
        if isinstance(leaf, Records):
            by_day = leaf.counted_as is CountedAs.DISTINCT_DATES and leaf.at_least.value > 1
            start = leaf.window.start(self.search_date) if leaf.window else None
            return [Measure(Kind.DATES if by_day else Kind.RECORDS, leaf.code_list, frozenset(leaf.sources), start)]
        if isinstance(leaf, NotFollowedBy):
            start = leaf.window.start(self.search_date) if leaf.window else None
            sources = frozenset(leaf.sources)
            return [
                Measure(Kind.LATEST, leaf.code_list, sources, start),
                Measure(Kind.LATEST, leaf.followed_by, sources, None),
            ]
        return []

    def code_rows(self) -> list[tuple[int, str, str, bool]]:
        """Returns (list, system, code, whether it stands alone) of every code to look for, first codes of pairs too."""
        rows = set()
        for n, slug in enumerate(self.lists):
            code_set = self.code_sets[slug]
            rows |= {(n, system, code, True) for system, code in code_set.codes}
            firsts = {(system, code) for system, code, _ in code_set.pairs} - code_set.codes
            rows |= {(n, system, code, False) for system, code in firsts}
        return sorted(rows)

    def pair_rows(self) -> list[tuple[int, str, str, str]]:
        """Returns (list, system, code, paired code) of every pair."""
        return sorted((n, *pair) for n, slug in enumerate(self.lists) for pair in self.code_sets[slug].pairs)

    def high_lists(self) -> list[int]:
        """Returns the lists whose records may be evidence."""
        wanted = {
            leaf.code_list
            for n in self.high
            for leaf in leaves(self.criteria[n].rule)
            if isinstance(leaf, Records | NotFollowedBy)
        }
        return [n for n, slug in enumerate(self.lists) if slug in wanted]


def first_wins(tables: Sequence[ir.Table]) -> ir.Table:
    """Returns each person once, from the first table that has them."""
    known = tables[0]
    for table in tables[1:]:
        known = known.union(table.anti_join(known, "person"))
    return known


def _dated(records: ir.Table, plan: Plan, codes: set[tuple[str, str]]) -> ir.Table:
    """Returns the rows whose code is among these, as literals: they let an engine skip blocks of sorted files.

    Rows of another system with such a code are among them; the caller's join on (system, code) drops them.
    """
    return records.filter(
        records.code.isin(sorted({code for _, code in codes})), records.date <= ibis.literal(plan.search_date)
    )


def paired(records: ir.Table, pairs: ir.Table, plan: Plan) -> ir.Table:
    """Returns (list_id, person, episode, system, code, others) of each first code whose pair is in its episode."""
    rows = plan.pair_rows()
    in_hospital = records.filter(records.episode != "")
    firsts = _dated(in_hospital, plan, {(system, code) for _, system, code, _ in rows})
    seconds = _dated(in_hospital, plan, {(system, other) for _, system, _, other in rows})
    firsts = firsts.select("person", "episode", "system", "code").distinct().join(pairs, ["system", "code"])
    seconds = seconds.select("person", "episode", "system", paired_code=seconds.code).distinct()
    both = firsts.join(seconds, ["person", "episode", "system", "paired_code"])
    return both.group_by("list_id", "person", "episode", "system", "code").aggregate(
        others=both.paired_code.group_concat(", ", order_by=both.paired_code)
    )


def matched(
    records: ir.Table, codes: ir.Table, pairs: ir.Table | None, plan: Plan, lists: Sequence[int] | None = None
) -> ir.Table:
    """Returns (person, list_id, system, code, date, source, detail): one row for each code list a record belongs to.

    `pairs` is the result of `paired`, None where no list has pairs; `lists` limits it to some lists.
    """
    wanted = {(system, code) for n, system, code, _ in plan.code_rows() if lists is None or n in lists}
    if lists is not None:
        codes = codes.filter(codes.list_id.isin(list(lists)))
    rows = _dated(records, plan, wanted).join(codes, ["system", "code"])
    detail: Any = ibis.literal("")
    if pairs is not None:
        rows = rows.left_join(pairs, ["list_id", "person", "episode", "system", "code"])
        rows = rows.filter(rows.alone | rows.others.notnull())
        detail = ibis.ifelse(rows.alone, "", ibis.literal("With ") + rows.others + " in the same episode")
    return rows.select("person", "list_id", "system", "code", "date", "source", detail=detail)


def _counts(rows: ir.Table, plan: Plan, measure: Measure) -> Any:
    condition = rows.list_id == plan.lists.index(measure.code_list)
    if measure.sources != frozenset(EVERY_SOURCE):
        condition &= rows.source.isin(sorted(source.value for source in measure.sources))
    if measure.start is not None:
        condition &= rows.date >= ibis.literal(measure.start)
    return condition


def measured(rows: ir.Table, plan: Plan) -> ir.Table:
    """Returns one row a person who has any matching record: `person` and a column for each measure."""
    columns = {}
    for measure, name in plan.measures.items():
        condition = _counts(rows, plan, measure)
        if measure.kind is Kind.RECORDS:
            columns[name] = rows.count(where=condition)
        elif measure.kind is Kind.DATES:
            columns[name] = rows.date.nunique(where=condition)
        else:
            columns[name] = rows.date.max(where=condition)
    return rows.group_by("person").aggregate(**columns)


def _truth(clause: Clause, people: ir.Table, plan: Plan) -> Any:
    if isinstance(clause, AllOf | AnyOf | NoneOf | AtLeast):
        parts = [_truth(child, people, plan) for child in clause.clauses]
        if isinstance(clause, AllOf):
            return reduce(and_, parts)
        if isinstance(clause, AtLeast):
            return sum(part.cast("int16") for part in parts) >= clause.count.value
        return ~reduce(or_, parts) if isinstance(clause, NoneOf) else reduce(or_, parts)
    if isinstance(clause, Age):
        limits = []
        if clause.at_least:
            limits.append(people.age >= clause.at_least.value)
        if clause.under:
            limits.append(people.age < clause.under.value)
        return reduce(and_, limits)
    if isinstance(clause, Sex):
        return people.sex.isin([code.value for code in clause.any_of])
    columns = [people[plan.measures[measure]] for measure in plan.measures_of(clause)]
    if isinstance(clause, NotFollowedBy):
        latest, followed = columns
        return latest.notnull() & (followed.isnull() | (followed <= latest))
    return columns[0].fill_null(0) >= clause.at_least.value


def _places(clause: Clause, above: tuple[Clause, ...] = ()) -> Iterator[tuple[Leaf, tuple[Clause, ...]]]:
    """Yields each place of a clause that can be evidence, with the clauses above it; nothing beneath a NoneOf."""
    if isinstance(clause, AllOf | AnyOf | AtLeast):
        for child in clause.clauses:
            yield from _places(child, (*above, clause))
    elif not isinstance(clause, NoneOf):
        yield clause, above


def _reasons(criterion: Criterion) -> list[tuple[Leaf, list[tuple[Clause, ...]]]]:
    """Returns each clause that can be evidence with its places: it counts where all above it and itself are true."""
    places: dict[Leaf, list[tuple[Clause, ...]]] = {}
    for leaf, above in _places(criterion.rule):
        places.setdefault(leaf, []).append((*above, leaf))
    return list(places.items())


def _age(people: ir.Table, plan: Plan) -> Any:
    day = plan.search_date
    not_yet = people.birth_date.month() * 100 + people.birth_date.day() > day.month * 100 + day.day
    return (ibis.literal(day.year) - people.birth_date.year() - not_yet.cast("int32")).cast("int32")


def met(patients: ir.Table, measures: ir.Table, plan: Plan) -> ir.Table:
    """Returns one row a person who meets any criterion.

    `person`, `practice_code`, `sex`, `age`; `c<n>`: meets criterion n; `e<n>_<k>`: clause k of
    criterion n (high tier only) made it true; and the measures, for the evidence.
    """
    people = patients.select("person", "practice_code", "sex", "birth_date")
    people = people.left_join(measures, "person").drop("person_right")
    people = people.mutate(age=_age(people, plan)).drop("birth_date")
    columns = {}
    for n, criterion in enumerate(plan.criteria):
        columns[f"c{n}"] = _truth(criterion.rule, people, plan)
        if n not in plan.high:
            continue
        for k, (_, places) in enumerate(_reasons(criterion)):
            alternatives = [reduce(and_, [_truth(part, people, plan) for part in place]) for place in places]
            columns[f"e{n}_{k}"] = reduce(or_, alternatives)
    people = people.mutate(**columns)
    return people.filter(reduce(or_, [people[f"c{n}"] for n in range(len(plan.criteria))]))


def met_high(people: ir.Table, plan: Plan) -> ir.Table:
    """Returns those of `met` who meet a criterion of the high tier."""
    flags = [people[f"c{n}"] for n in plan.high]
    return people.filter(reduce(or_, flags, ibis.literal(False)))


def _stack(tables: Sequence[ir.Table]) -> ir.Table:
    return reduce(lambda one, other: one.union(other), tables)


def flags(people: ir.Table, plan: Plan) -> ir.Table:
    """Returns (person, criterion) of the high tier. `people` is `met_high`."""
    text = "string"
    none = people.filter(ibis.literal(False)).select("person", criterion=ibis.literal("").cast(text))
    found = [
        people.filter(people[f"c{n}"]).select("person", criterion=ibis.literal(plan.criteria[n].slug).cast(text))
        for n in plan.high
    ]
    return _stack([none, *found]).order_by("person", "criterion")


def counts(people: ir.Table, plan: Plan) -> ir.Table:
    """Returns (criterion, practice_code, people) of both tiers, where anybody is counted. `people` is `met`."""
    practices = people.group_by("practice_code").aggregate(
        **{f"c{n}": people[f"c{n}"].sum().cast("int64") for n in range(len(plan.criteria))}
    )
    stacked = _stack(
        [
            practices.select(
                "practice_code", criterion=ibis.literal(criterion.slug).cast("string"), people=practices[f"c{n}"]
            )
            for n, criterion in enumerate(plan.criteria)
        ]
    )
    stacked = stacked.filter(stacked.people > 0).select("criterion", "practice_code", "people")
    return stacked.order_by("criterion", "practice_code")


def evidence(people: ir.Table, held: ir.Table, plan: Plan) -> ir.Table:
    """Returns the evidence of every flag, newest first within a clause, at most EVIDENCE_LIMIT rows a clause.

    `people` is `met_high`; `held` is `matched` for the lists of the high tier, joined with it.
    """
    parts = [
        _evidence_of(leaf, plan.criteria[n], f"e{n}_{k}", k, people, held, plan)
        for n in plan.high
        for k, (leaf, _) in enumerate(_reasons(plan.criteria[n]))
    ]
    rows = _stack([_no_evidence(people), *parts])
    order = [ibis.desc(rows.event_date), rows.system, rows.code, rows.source, rows.detail]
    rank = ibis.row_number().over(group_by=[rows.person, rows.criterion, rows.clause_number], order_by=order)
    rows = rows.mutate(rank=rank)
    rows = rows.filter(rows.rank < EVIDENCE_LIMIT).order_by("person", "criterion", "clause_number", "rank")
    return rows.drop("rank", "clause_number")


def _no_evidence(people: ir.Table) -> ir.Table:
    text = ibis.literal("").cast("string")
    return people.filter(ibis.literal(False)).select(
        "person",
        criterion=text,
        clause_number=ibis.literal(0).cast("int16"),
        clause=text,
        system=text,
        code=text,
        event_date=ibis.null("date"),
        source=text,
        detail=text,
        code_list=text,
    )


def _evidence_of(
    leaf: Leaf, criterion: Criterion, reason: str, number: int, people: ir.Table, held: ir.Table, plan: Plan
) -> ir.Table:
    text = ibis.literal("").cast("string")
    named = {
        "criterion": ibis.literal(criterion.slug).cast("string"),
        "clause_number": ibis.literal(number).cast("int16"),
        "clause": ibis.literal(leaf.label).cast("string"),
    }
    if isinstance(leaf, Age | Sex):
        rows = people.filter(people[reason])
        detail = ibis.literal("Aged ") + rows.age.cast("string")
        if isinstance(leaf, Sex):
            detail = rows.sex.cases(*((code.value, word) for code, word in SEX_WORDS.items()), else_="")
        return rows.select(
            "person",
            **named,
            system=text,
            code=text,
            event_date=ibis.null("date"),
            source=text,
            detail=detail,
            code_list=text,
        )
    first = plan.measures_of(leaf)[0]
    rows = held.filter(held[reason], _counts(held, plan, first))
    if isinstance(leaf, NotFollowedBy):
        followed = rows[plan.measures[plan.measures_of(leaf)[1]]]
        rows = rows.filter(followed.isnull() | (followed <= rows.date))
    return rows.select(
        "person",
        **named,
        system=rows.system,
        code=rows.code,
        event_date=rows.date,
        source=rows.source,
        detail=rows.detail,
        code_list=ibis.literal(leaf.code_list).cast("string"),
    )

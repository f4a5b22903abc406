"""What a preview asks of the records: each person's bits, most of them in one pass without a join, in DuckDB's SQL.

A whole search joins every record with what it bears on, because it has hundreds of codes for dozens of
clauses, and keeps what it joined as evidence. For the few clauses of one criterion it is cheaper to work out
for each record a mask of what it may bear on by its code, and cut it down by its date, source and value.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from cohort.search.criteria import LatestOfTwo, LatestValue, NotFollowedBy, Records
from cohort.search.duck import literals
from cohort.search.plan import WORD, Bearing, Plan
from cohort.search.terms import EARLIEST_DATE, EVERY_SOURCE, Source

_LATEST = (LatestOfTwo, LatestValue, NotFollowedBy)


def one_pass(plan: Plan) -> list[int]:
    """Returns the measures that one pass over the records settles: those that ask for one record, or for the latest.

    Whatever is counted, or needs another code beside it, is left to `compile.Settling`.
    """
    paired = {measure for measure, *_ in plan.pairs}
    return [n for n in plan.numbers(Records, *_LATEST) if n in plan.counted(None) and n not in paired]


def one_pass_bits(plan: Plan) -> str:
    """Returns a query over `records` for everybody with a true measure: `person` and their words (`b0` and so on).

    Every measure of the plan about records is of `one_pass`.
    """
    groups = _groups(plan)
    masks = {word: list(range(word, min(word + WORD, len(groups)))) for word in range(0, len(groups), WORD)}
    rows = ", ".join(f"{_mask([groups[n] for n in those])} AS x{word}" for word, those in masks.items())
    found = [f"bit_or(x{word}) AS x{word}" for word in masks]
    place = {(each.measure, each.is_rival): n for n, each in enumerate(groups)}
    truths: dict[int, list[str]] = defaultdict(list)
    latest = set(plan.numbers(*_LATEST))
    for measure in sorted({each.measure for each in groups if not each.is_rival}):
        is_true = _is(place[measure, False])
        if measure in latest:
            # A day counts twice, and one more for a record of the clause's own: it wins over a rival of the same day.
            day = f"2 * (date - DATE '{EARLIEST_DATE}')"
            rival = f" WHEN {_is(place[measure, True])} THEN {day}" if (measure, True) in place else ""
            found.append(f"max(CASE WHEN {is_true} THEN {day} + 1{rival} END) AS last_{measure}")
            is_true = f"last_{measure} % 2 = 1"
        truths[measure // WORD].append(f"CASE WHEN {is_true} THEN {1 << measure % WORD} ELSE 0 END")
    words = [f"b{word}" for word in range(plan.words)]
    bits = ", ".join(f"({' | '.join(truths[n]) or '0'})::BIGINT AS {word}" for n, word in enumerate(words))
    return (
        f"SELECT person, {bits} FROM (SELECT person, {', '.join(found)}"
        f" FROM (SELECT person, date, {rows} FROM records) GROUP BY person)"
        f" WHERE {' OR '.join(f'{word} <> 0' for word in words)}"
    )


@dataclass(frozen=True)
class _Group:
    """What bears on a measure alike but for the code: all of it, or all that rivals it."""

    measure: int
    is_rival: bool
    codes: frozenset[tuple[str, str]]
    alike: Bearing


def _groups(plan: Plan) -> list[_Group]:
    found: dict[tuple[int, bool], list[Bearing]] = defaultdict(list)
    for each in plan.bearings:
        found[each.measure, each.is_rival].append(each)
    return [_Group(*key, frozenset(each.code for each in those), those[0]) for key, those in found.items()]


def _is(group: int) -> str:
    return f"x{group // WORD * WORD} & {1 << group % WORD} <> 0"


def _mask(groups: Sequence[_Group]) -> str:
    """Returns an expression of a record: a bit for each group that it is of."""
    parts = [_by_code(groups), _by_date(groups)]
    if any(group.alike.sources != frozenset(EVERY_SOURCE) for group in groups):
        parts.append(_by_source(groups))
    if any(group.alike.needs_value or group.alike.value for group in groups):
        parts.append(_by_value(groups))
    return " & ".join(parts)


def _by_code(groups: Sequence[_Group]) -> str:
    # A position is looked up once for each different code of a block, as DuckDB reads it; the system is the same
    # for all of most blocks.
    codes = sorted({code for group in groups for _, code in group.codes})
    position = f"list_position([{', '.join(literals(codes))}], code)"
    systems = sorted({system for group in groups for system, _ in group.codes})
    masks = {system: [_bits((system, code) in group.codes for group in groups) for code in codes] for system in systems}
    cases = [
        f"WHEN {one} THEN list_extract([{', '.join(map(str, masks[system]))}]::BIGINT[], {position})"
        for system, one in zip(systems, literals(systems), strict=True)
    ]
    return f"CASE system {' '.join(cases)} ELSE 0 END"


def _by_date(groups: Sequence[_Group]) -> str:
    return _either(
        groups,
        lambda group: (group.alike.first, group.alike.last),
        lambda group: f"date BETWEEN DATE '{group.alike.first}' AND DATE '{group.alike.last}'",
    )


def _by_source(groups: Sequence[_Group]) -> str:
    cases = [f"WHEN '{each}' THEN {_bits(each in group.alike.sources for group in groups)}" for each in Source]
    return f"CASE source {' '.join(cases)} ELSE 0 END"


def _by_value(groups: Sequence[_Group]) -> str:
    return _either(groups, lambda group: (group.alike.value, group.alike.needs_value), _value_holds)


def _value_holds(group: _Group) -> str:
    value = group.alike.value
    if value is None:
        return "value IS NOT NULL" if group.alike.needs_value else "true"
    limits = ((value.at_least, ">="), (value.under, "<"))
    return " AND ".join(f"value {sign} {limit!r}::DOUBLE" for limit, sign in limits if limit is not None)


def _either(groups: Sequence[_Group], key: Callable[[_Group], Hashable], holds: Callable[[_Group], str]) -> str:
    """Returns the bits of those groups whose condition holds; groups with the same key have the same condition."""
    alike: dict[Hashable, list[_Group]] = defaultdict(list)
    for group in groups:
        alike[key(group)].append(group)
    cases = [
        f"CASE WHEN {holds(those[0])} THEN {_bits(group in those for group in groups)} ELSE 0 END"
        for those in alike.values()
    ]
    return f"({' | '.join(cases)})"


def _bits(holds: Iterable[bool]) -> int:
    return sum(1 << n for n, each in enumerate(holds) if each)

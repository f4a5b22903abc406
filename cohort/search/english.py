"""A criterion in plain English, generated from it: what clinicians sign and practices read."""

from collections.abc import Iterator
from datetime import date

from cohort.search.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    Criterion,
    Group,
    LatestOfTwo,
    LatestValue,
    Leaf,
    NoneOf,
    Records,
    SameEpisode,
    Sex,
)
from cohort.search.terms import (
    EVERY_SOURCE,
    AnyWindow,
    CountedAs,
    FixedWindow,
    Source,
    Threshold,
    Tier,
    ValueRange,
    Window,
)

_TIERS = {Tier.HIGH: "high risk", Tier.VULNERABLE: "vulnerable"}
_SOURCES = {Source.GP: "GP records", Source.MEDICINES: "dispensed medicines", Source.HOSPITAL: "hospital records"}


def plain_english(criterion: Criterion) -> str:
    """Returns the criterion as lines of text: a sentence, a nested list of its clauses, and its note."""
    opening = f"People are {_TIERS[criterion.tier]} ({criterion.disease_group}) where this is true:"
    lines = [opening, "", *_lines(criterion.rule, 0)]
    return "\n".join([*lines, "", f"Note: {criterion.note}"] if criterion.note else lines)


def describe(clause: Clause) -> str:
    """Returns one clause in plain English, without those beneath it: `All of these:`, or a sentence."""
    return _heading(clause) if isinstance(clause, Group) else _sentence(clause)


def named(clause: Clause) -> str:
    """Returns what a clause is called within a sentence: its label, or `All of these`."""
    return describe(clause).rstrip(":") if isinstance(clause, Group) else clause.label


def _lines(clause: Clause, depth: int) -> Iterator[str]:
    yield "  " * depth + "- " + describe(clause)
    if isinstance(clause, Group):
        for child in clause.clauses:
            yield from _lines(child, depth + 1)


def _heading(clause: Group) -> str:
    if isinstance(clause, AtLeast):
        return f"At least {clause.count.value} of these:{_reasons(clause.count)}"
    return {AllOf: "All of these:", AnyOf: "Any of these:", NoneOf: "None of these:"}[type(clause)]


def _sentence(clause: Leaf) -> str:
    if isinstance(clause, Age):
        return f"{clause.label} at the search date.{_reasons(clause.at_least, clause.under)}"
    if isinstance(clause, Sex):
        return f"{clause.label}."
    start = f"{clause.label}: "
    listed = f"from the list “{clause.code_list}”"
    if isinstance(clause, SameEpisode):
        return (
            f"{start}a record {listed} in hospital records, {_when(clause.window)}, in the same hospital episode as"
            f" another code, from the list “{clause.with_list}”.{_reasons(clause.window)}"
        )
    where = f"in {_sources(clause.sources)}, {_when(clause.window)}"
    if isinstance(clause, Records):
        value = f" with a value of {_range(clause.value)}" if clause.value else ""
        reasons = _reasons(clause.at_least, clause.course_gap, clause.value, clause.window)
        return f"{start}{_amount(clause)} {listed}{value} {where}.{reasons}"
    if isinstance(clause, LatestValue):
        reasons = _reasons(clause.value, clause.window)
        return f"{start}the latest value {listed} {where}, is {_range(clause.value)}.{reasons}"
    if isinstance(clause, LatestOfTwo):
        return (
            f"{start}a record {listed} {where}, and none from the list “{clause.other_list}” in that time on a later"
            f" day.{_reasons(clause.window)}"
        )
    return (
        f"{start}a record {listed} {where}, with no record from the list “{clause.followed_by}” on a later day."
        f"{_reasons(clause.window)}"
    )


def _amount(clause: Records) -> str:
    least = clause.at_least.value
    if clause.course_gap is not None:
        days = clause.course_gap.value
        courses = f"{least} or more courses" if least > 1 else "a course"
        return f"{courses} (a record more than {days} day{'s' * (days > 1)} after the last one begins another course)"
    if least == 1:
        return "a record"
    if clause.counted_as is CountedAs.DISTINCT_DATES:
        return f"records on {least} or more different days"
    return f"{least} or more records"


def _range(value: ValueRange) -> str:
    unit = f" {value.unit}" if value.unit else ""
    if value.under is None:
        return f"{value.at_least:g}{unit} or more"
    if value.at_least is None:
        return f"less than {value.under:g}{unit}"
    return f"{value.at_least:g}{unit} or more but less than {value.under:g}{unit}"


def _sources(sources: tuple[Source, ...]) -> str:
    if set(sources) == set(EVERY_SOURCE):
        return "any source"
    return " or ".join(_SOURCES[source] for source in EVERY_SOURCE if source in sources)


def _when(window: AnyWindow | None) -> str:
    if window is None:
        return "ever"
    if isinstance(window, FixedWindow):
        until = _day(window.last) if window.last else "the search date"
        return f"from {_day(window.first)} to {until}"
    return f"in the {_length(window)} up to the search date"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _length(window: Window) -> str:
    unit = window.unit.lower()
    return f"{window.length} {unit if window.length > 1 else unit[:-1]}"


def _reasons(*chosen: Threshold | AnyWindow | ValueRange | None) -> str:
    """Returns the reasons for what somebody chose, a sentence each, after a space."""
    words = []
    for each in chosen:
        if each is None or not each.reason:
            continue
        what = _chosen(each)
        words.append(f"Why {what}: {each.reason.rstrip('.')}.")
    return "".join(f" {word}" for word in words)


def _chosen(each: Threshold | AnyWindow | ValueRange) -> str:
    if isinstance(each, Window):
        return _length(each)
    if isinstance(each, FixedWindow):
        return "these days"
    return _range(each) if isinstance(each, ValueRange) else str(each.value)

"""A criterion in plain English, generated from it: what clinicians sign and practices read."""

from collections.abc import Iterator

from cohort.search.criteria import (
    EVERY_SOURCE,
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    CountedAs,
    Criterion,
    NoneOf,
    NotFollowedBy,
    Records,
    Sex,
    Source,
    Threshold,
    Tier,
    Window,
)

_TIERS = {Tier.HIGH: "high risk", Tier.VULNERABLE: "vulnerable"}
_SOURCES = {Source.GP: "GP records", Source.MEDICINES: "dispensed medicines", Source.HOSPITAL: "hospital records"}


def plain_english(criterion: Criterion) -> str:
    """Returns the criterion as lines of text: a sentence, a nested list of its clauses, and its note."""
    opening = f"People are {_TIERS[criterion.tier]} ({criterion.disease_group}) where this is true:"
    lines = [opening, "", *_lines(criterion.rule, 0)]
    return "\n".join([*lines, "", f"Note: {criterion.note}"] if criterion.note else lines)


def _lines(clause: Clause, depth: int) -> Iterator[str]:
    bullet = "  " * depth + "- "
    if isinstance(clause, AllOf | AnyOf | NoneOf | AtLeast):
        yield bullet + _heading(clause)
        for child in clause.clauses:
            yield from _lines(child, depth + 1)
    else:
        yield bullet + _sentence(clause)


def _heading(clause: AllOf | AnyOf | NoneOf | AtLeast) -> str:
    if isinstance(clause, AtLeast):
        return f"At least {clause.count.value} of these:{_reasons(clause.count)}"
    return {AllOf: "All of these:", AnyOf: "Any of these:", NoneOf: "None of these:"}[type(clause)]


def _sentence(clause: Records | NotFollowedBy | Age | Sex) -> str:
    if isinstance(clause, Age):
        return f"{clause.label} at the search date.{_reasons(clause.at_least, clause.under)}"
    if isinstance(clause, Sex):
        return f"{clause.label}."
    where = f"in {_sources(clause.sources)}, {_when(clause.window)}"
    if isinstance(clause, NotFollowedBy):
        return (
            f"{clause.label}: a record from the list “{clause.code_list}” {where}, with no record from the list"
            f" “{clause.followed_by}” on a later day.{_reasons(clause.window)}"
        )
    return (
        f"{clause.label}: {_amount(clause)} from the list “{clause.code_list}” {where}"
        f".{_reasons(clause.at_least, clause.window)}"
    )


def _amount(clause: Records) -> str:
    least = clause.at_least.value
    if least == 1:
        return "a record"
    if clause.counted_as is CountedAs.DISTINCT_DATES:
        return f"records on {least} or more different days"
    return f"{least} or more records"


def _sources(sources: tuple[Source, ...]) -> str:
    if set(sources) == set(EVERY_SOURCE):
        return "any source"
    return " or ".join(_SOURCES[source] for source in EVERY_SOURCE if source in sources)


def _when(window: Window | None) -> str:
    if window is None:
        return "ever"
    unit = window.unit.lower()
    return f"in the {window.length} {unit if window.length > 1 else unit[:-1]} up to the search date"


def _reasons(*chosen: Threshold | Window | None) -> str:
    """Returns the reasons for the numbers that somebody chose, a sentence each, after a space."""
    words = []
    for each in chosen:
        if isinstance(each, Window):
            unit = each.unit.lower()
            words.append(f"Why {each.length} {unit if each.length > 1 else unit[:-1]}: {each.reason.rstrip('.')}.")
        elif each is not None and each.reason:
            words.append(f"Why {each.value}: {each.reason.rstrip('.')}.")
    return "".join(f" {word}" for word in words)

"""Criteria and people for Hypothesis: a tiny vocabulary, and dates that fall on the edges of windows."""

from datetime import date, timedelta

from hypothesis import strategies as st

from cohort.search.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    CodeSet,
    Criterion,
    LatestOfTwo,
    LatestValue,
    NoneOf,
    NotFollowedBy,
    Records,
    SameEpisode,
    Sex,
    leaves,
)
from cohort.search.reference import Person, Record
from cohort.search.terms import (
    EVERY_SOURCE,
    ONCE,
    CountedAs,
    FixedWindow,
    SexCode,
    Source,
    Threshold,
    Tier,
    Unit,
    ValueRange,
    Window,
    months_before,
)

#: `alpha` has pairs alone, `beta` a code that is also the first of a pair, `gamma` nothing.
CODE_SETS = {
    "alpha": CodeSet(
        "alpha",
        1,
        frozenset({("ICD-10", "C437"), ("SNOMED", "77386006")}),
        frozenset({("OPCS-4", "B208", "Y012"), ("OPCS-4", "B208", "Y018")}),
    ),
    "beta": CodeSet(
        "beta", 2, frozenset({("OPCS-4", "C437"), ("OPCS-4", "Y012")}), frozenset({("OPCS-4", "C437", "Y012")})
    ),
    "gamma": CodeSet("gamma", 3),
}
CODES = [
    ("ICD-10", "C437"),
    ("OPCS-4", "C437"),
    ("SNOMED", "77386006"),
    ("OPCS-4", "B208"),
    ("OPCS-4", "Y012"),
    ("OPCS-4", "Y018"),
    ("ICD-10", "B208"),
    ("SNOMED", "1"),
]
SEARCH_DATES = [date(2020, 2, 29), date(2020, 3, 31), date(2021, 2, 28), date(2021, 3, 1), date(2020, 12, 31)]
WINDOWS = [
    Window(length, unit, "chosen for a test")
    for length, unit in [(1, Unit.DAYS), (30, Unit.DAYS), (1, Unit.MONTHS), (6, Unit.MONTHS), (12, Unit.MONTHS)]
]
AGES = [18, 21, 70]

FIXED = [
    FixedWindow(date(2020, 1, 1), "chosen for a test", date(2020, 3, 1)),
    FixedWindow(date(2020, 3, 1), "chosen for a test"),
    FixedWindow(date(2020, 3, 30), "chosen for a test", date(2021, 2, 27)),
]
windows = st.none() | st.sampled_from(WINDOWS) | st.sampled_from(FIXED)
VALUES = [None, None, 29.9, 30.0, 40.0]
ranges = st.sampled_from([(30.0, None), (None, 30.0), (29.5, 40.0)]).map(
    lambda limits: ValueRange("chosen for a test", *limits)
)
sources = st.just(EVERY_SOURCE) | st.lists(st.sampled_from(EVERY_SOURCE), min_size=1, unique=True).map(tuple)
lists = st.sampled_from(sorted(CODE_SETS))


def threshold(value: int) -> Threshold:
    return Threshold(value, "chosen for a test")


@st.composite
def ages(draw: st.DrawFn) -> Age:
    low, high = draw(st.sampled_from([(18, None), (None, 18), (21, 70), (70, None)]))
    return Age(low and threshold(low), high and threshold(high))


labels = st.integers(0, 10**6).map("Clause {}".format)


@st.composite
def records_clauses(draw: st.DrawFn) -> Records:
    counted_as = draw(st.sampled_from(CountedAs))
    gap = threshold(draw(st.sampled_from([1, 3, 30]))) if counted_as is CountedAs.COURSES else None
    at_least = draw(st.just(ONCE) | st.integers(2, 3).map(threshold))
    value = draw(st.none() | st.none() | ranges)
    return Records(draw(labels), draw(lists), draw(sources), draw(windows), at_least, counted_as, gap, value)


compared = (
    st.builds(NotFollowedBy, labels, lists, lists, sources, windows)
    | st.builds(LatestOfTwo, labels, lists, lists, sources, windows)
    | st.builds(LatestValue, labels, lists, ranges, sources, windows)
    | st.builds(SameEpisode, labels, lists, lists, windows)
)


def _groups(children: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    several = st.lists(children, min_size=1, max_size=3).map(tuple)
    at_least = several.flatmap(lambda c: st.builds(AtLeast, st.integers(1, len(c)).map(threshold), st.just(c)))
    return several.map(AllOf) | several.map(AnyOf) | several.map(NoneOf) | at_least


leaf_clauses = (
    records_clauses()
    | records_clauses()
    | compared
    | ages()
    | st.lists(st.sampled_from(SexCode), min_size=1, unique=True).map(lambda codes: Sex(tuple(codes)))
)
clauses: st.SearchStrategy[Clause] = st.recursive(leaf_clauses, _groups, max_leaves=5)


def _has_own_labels(rule: Clause) -> bool:
    own = [leaf.label for leaf in leaves(rule)]
    return len(set(own)) == len(own)


@st.composite
def criteria(draw: st.DrawFn, most: int, least: int = 1) -> list[Criterion]:
    rules = draw(st.lists(clauses.filter(_has_own_labels), min_size=least, max_size=most))
    tiers = draw(st.lists(st.sampled_from([Tier.HIGH, Tier.HIGH, Tier.VULNERABLE]), min_size=len(rules)))
    return [
        Criterion(f"criterion-{n}", f"Criterion {n}", tier, "A group", rule)
        for n, (rule, tier) in enumerate(zip(rules, tiers, strict=False))
    ]


@st.composite
def people(draw: st.DrawFn, search_date: date, most: int, least: int = 1) -> dict[int, Person]:
    edges = [search_date, *(window.start(search_date) for window in WINDOWS)]
    days = st.builds(lambda edge, by: edge + timedelta(by), st.sampled_from(edges), st.integers(-2, 2))
    births = st.builds(
        lambda years, by: months_before(search_date, 12 * years) + timedelta(by),
        st.sampled_from(AGES),
        st.integers(-2, 2),
    )
    record = st.builds(
        lambda code, day, source, episode, value: Record(*code, day, source, episode, value),
        st.sampled_from(CODES),
        days,
        st.sampled_from(Source),
        st.sampled_from(["", "", "e1", "e2"]),
        st.sampled_from(VALUES),
    )
    repeated = st.builds(lambda each, times: [each] * times, record, st.sampled_from([1, 1, 1, 1, 2, 14]))
    several = st.lists(repeated, max_size=7).map(lambda groups: tuple(each for group in groups for each in group))
    person = st.builds(Person, births, st.sampled_from(SexCode), several)
    return dict(enumerate(draw(st.lists(person, min_size=least, max_size=most)), start=9_990_000_000))

"""The checks before publishing, as tables of cases: what is wrong, where, and whether it blocks."""

from datetime import date

import pytest

from cohort.search.checks import Problem, Severity, check_criterion, unused_lists
from cohort.search.criteria import (
    Age,
    AllOf,
    AnyOf,
    AtLeast,
    Clause,
    CodeSet,
    Criterion,
    LatestOfTwo,
    NoneOf,
    NotFollowedBy,
    Records,
    SameEpisode,
    Sex,
)
from cohort.search.terms import CountedAs, FixedWindow, SexCode, Source, Threshold, Tier, Unit, Window

DAY = date(2020, 3, 20)
LISTS = {
    "asthma": CodeSet("asthma", 1, frozenset({("SNOMED", "195967001")})),
    "tablets": CodeSet("tablets", 2, frozenset({("DMD", "325426006")})),
    "surgery": CodeSet("surgery", 3, frozenset({("OPCS-4", "E53")})),
    "pairs": CodeSet("pairs", 4, pairs=frozenset({("OPCS-4", "B208", "Y012")})),
    "empty": CodeSet("empty", 5),
    "also-asthma": CodeSet("also-asthma", 6, frozenset({("SNOMED", "195967001"), ("SNOMED", "304527002")})),
}
GP, MEDICINES, HOSPITAL = (Source.GP,), (Source.MEDICINES,), (Source.HOSPITAL,)
ASTHMA = Records("Asthma", "asthma")
TABLETS = Records("Tablets", "tablets")


def limit(value: int) -> Threshold:
    return Threshold(value, "chosen for a test")


def days(length: int) -> Window:
    return Window(length, Unit.DAYS, "chosen for a test")


def months(length: int) -> Window:
    return Window(length, Unit.MONTHS, "chosen for a test")


def aged(at_least: int | None = None, under: int | None = None) -> Age:
    return Age(at_least and limit(at_least), under and limit(under))


def check(rule: Clause, *, tier: Tier = Tier.HIGH) -> list[Problem]:
    return check_criterion(Criterion("a", "A", tier, "A group", rule), LISTS, search_date=DAY)


SINCE_APRIL = FixedWindow(date(2020, 4, 1), "chosen for a test")
NEVER_TRUE: list[tuple[Clause, str, str]] = [
    (AllOf((ASTHMA, aged(70), aged(None, 60))), "", "contradict"),
    (AllOf((ASTHMA, AnyOf((AllOf((aged(70), aged(None, 60))), TABLETS)))), "1.0", "contradict"),
    (AllOf((ASTHMA, Sex((SexCode.MALE,)), Sex((SexCode.FEMALE,)))), "", "contradict"),
    (AllOf((ASTHMA, NoneOf((ASTHMA,)))), "", "contradict"),
    (AllOf((Records("Lately", "asthma", window=months(6)), NoneOf((ASTHMA,)))), "", "contradict"),
    (AllOf((Records("Many", "asthma", at_least=limit(4)), NoneOf((ASTHMA,)))), "", "contradict"),
    (AllOf((ASTHMA, NoneOf((Sex(tuple(SexCode)),)))), "1", "true of everybody"),
    (AtLeast(limit(3), (aged(70), aged(None, 60), ASTHMA)), "", "contradict"),
    (AllOf((ASTHMA, aged(126))), "1", "nobody is over 125"),
    (Records("Nothing", "empty"), "", "is empty"),
    (Records("Missing", "elsewhere"), "", "not there"),
    (AnyOf((ASTHMA, Records("Surgery", "surgery", GP))), "1", "OPCS-4"),
    (Records("Dispensed in hospital", "tablets", HOSPITAL), "", "DMD"),
    (Records("Pairs at the GP", "pairs", (*GP, *MEDICINES)), "", "only pairs"),
    (SameEpisode("Two codes", "surgery", "tablets"), "", "DMD"),
    (Records("Not yet", "asthma", window=SINCE_APRIL), "", "after the search date"),
    (NotFollowedBy("Not after", "asthma", "asthma"), "", "against itself"),
    (LatestOfTwo("Latest", "asthma", "asthma"), "", "against itself"),
    (
        Records("Days", "tablets", window=days(6), at_least=limit(8), counted_as=CountedAs.DISTINCT_DATES),
        "",
        "has room for 7",
    ),
    (
        Records("Courses", "tablets", MEDICINES, months(1), limit(4), CountedAs.COURSES, limit(14)),
        "",
        "has room for 2",
    ),
]


@pytest.mark.parametrize(("rule", "path", "words"), NEVER_TRUE)
def test_what_can_never_be_true_blocks_publishing_and_says_where(rule: Clause, path: str, words: str) -> None:
    problems = check(rule)
    assert any(p.severity is Severity.ERROR and p.path == path and words in p.what and p.do for p in problems), problems


NEARLY: list[Clause] = [
    AllOf((ASTHMA, aged(60), aged(None, 61))),
    AllOf((ASTHMA, aged(125))),
    AllOf((ASTHMA, NoneOf((Records("Lately", "asthma", window=months(6)),)))),
    AllOf((ASTHMA, NoneOf((Records("Many", "asthma", at_least=limit(2)),)))),
    AtLeast(limit(2), (aged(70), ASTHMA, TABLETS)),
    Records("Days", "tablets", window=days(6), at_least=limit(7), counted_as=CountedAs.DISTINCT_DATES),
    Records("Courses", "tablets", MEDICINES, days(30), limit(3), CountedAs.COURSES, limit(14)),
    Records("Many in a day", "tablets", window=days(1), at_least=limit(50)),
    Records("Since today", "asthma", window=FixedWindow(DAY, "chosen for a test")),
    Records("Surgery", "surgery"),
    Records("Pairs", "pairs"),
    SameEpisode("Two codes", "surgery", "pairs"),
]


@pytest.mark.parametrize("rule", NEARLY)
def test_what_is_just_possible_passes(rule: Clause) -> None:
    assert [problem for problem in check(rule) if problem.severity is Severity.ERROR] == []


BY_ABSENCE: list[Clause] = [
    NoneOf((ASTHMA,)),
    AnyOf((TABLETS, NoneOf((ASTHMA,)))),
    AllOf((aged(70), NoneOf((ASTHMA,)))),
    AtLeast(limit(2), (Sex((SexCode.FEMALE,)), NoneOf((ASTHMA,)), TABLETS)),
]


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("rule", BY_ABSENCE)
def test_a_rule_true_without_any_records_blocks_publishing(rule: Clause, tier: Tier) -> None:
    errors = [problem for problem in check(rule, tier=tier) if problem.severity is Severity.ERROR]
    assert ["no records" in error.what for error in errors] == [True]


def test_the_example_is_somebody_of_the_age_and_sex_that_meets_it() -> None:
    (error,) = check(AllOf((aged(70), Sex((SexCode.MALE,)), NoneOf((ASTHMA,)))))
    assert "a man aged 70, say" in error.what


def test_a_rule_that_everybody_meets_blocks_publishing() -> None:
    errors = [p for p in check(AnyOf((aged(70), aged(None, 70), ASTHMA))) if p.severity is Severity.ERROR]
    assert ["Everybody meets this rule" in error.what for error in errors] == [True]


@pytest.mark.parametrize("rule", [aged(70), AnyOf((aged(70), ASTHMA))])
def test_age_alone_is_a_warning_for_those_who_are_written_to_and_none_for_those_who_are_counted(rule: Clause) -> None:
    (warning,) = check(rule)
    assert (warning.severity, "Age and sex alone" in warning.what) == (Severity.WARNING, True)
    assert check(rule, tier=Tier.VULNERABLE) == []


ADDS_NOTHING: list[tuple[Clause, str, str]] = [
    (AnyOf((ASTHMA, TABLETS, ASTHMA)), "2", "twice"),
    (AtLeast(limit(2), (ASTHMA, TABLETS, ASTHMA)), "2", "counts twice"),
    (AllOf((ASTHMA, Records("Lately", "asthma", window=months(6)))), "0", "“Lately” already covers it"),
    (AnyOf((ASTHMA, Records("Lately", "asthma", GP, months(6)))), "1", "“Asthma” already covers it"),
    (AllOf((ASTHMA, aged(18), aged(70, 80))), "1", "“Aged 70 to 79” already covers it"),
    (AllOf((ASTHMA, Sex(tuple(SexCode)))), "1", "true of everybody"),
    (NotFollowedBy("Not after", "asthma", "also-asthma"), "", "1 code is in both"),
    (AllOf((ASTHMA, NotFollowedBy("Not after", "asthma", "tablets"))), "0", "already covers it"),
]


@pytest.mark.parametrize(("rule", "path", "words"), ADDS_NOTHING)
def test_a_clause_that_adds_nothing_is_a_warning_at_that_clause(rule: Clause, path: str, words: str) -> None:
    problems = check(rule)
    assert [(p.severity, p.path, words in p.what) for p in problems] == [(Severity.WARNING, path, True)]


@pytest.mark.parametrize(
    "rule",
    [
        AllOf((ASTHMA, TABLETS, aged(18))),
        AnyOf((Records("GP", "asthma", GP), Records("Hospital", "also-asthma", HOSPITAL))),
        AnyOf((Records("Old", "asthma", window=days(400)), Records("Year", "tablets", window=months(12)))),
    ],
)
def test_clauses_that_differ_are_not_warned_of(rule: Clause) -> None:
    assert check(rule) == []


def test_a_list_that_no_criterion_reads_is_a_warning() -> None:
    criteria = [Criterion("a", "A", Tier.HIGH, "A group", AllOf((ASTHMA, NotFollowedBy("N", "tablets", "surgery"))))]
    assert ["“empty”" in p.what for p in unused_lists(["asthma", "tablets", "surgery", "empty"], criteria)] == [True]


def test_a_tangled_rule_is_settled_quickly_or_given_the_benefit_of_the_doubt() -> None:
    leaves = tuple(Records(f"Clause {n}", f"list-{n}") for n in range(24))
    sets = {f"list-{n}": CodeSet(f"list-{n}", n, frozenset({("SNOMED", str(n))})) for n in range(24)}
    pairs = tuple(AnyOf((leaves[n], NoneOf((leaves[(n * 7 + 1) % 24],)))) for n in range(24))
    rule = AllOf((leaves[0], AtLeast(limit(12), pairs), NoneOf(leaves[20:])))
    criterion = Criterion("a", "A", Tier.HIGH, "A group", rule)
    assert [p for p in check_criterion(criterion, sets, search_date=DAY) if p.severity is Severity.ERROR] == []

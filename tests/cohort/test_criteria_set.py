"""The shipped criteria: loaded once, versioned when changed, and said in plain English in the docs."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from cohort.actions import criteria as actions
from cohort.actions.criteria import BadCodeListFile, load_criteria_set, shipped_criteria
from cohort.models import CodeList, CodeListCode, CodeListVersion, Criterion, CriterionVersion
from cohort.queries.criteria import CodeListsDisagree, code_sets_for, criteria_in_force, search_criterion
from cohort.search.criteria import CodeSet, UnknownCodeList, code_lists
from cohort.search.english import plain_english
from cohort.search.reference import Person, Record, evaluate
from cohort.search.terms import SexCode, Source, Tier

AT = datetime(2020, 3, 20, 9, 0, tzinfo=UTC)
TODAY = date(2020, 3, 20)
FOLDER = Path(actions.__file__).parents[1] / "criteria_set" / "codelists"
DOCS = Path(actions.__file__).parents[2] / "docs" / "criteria.md"
SYSTEMS = {"SNOMED", "DMD", "BNF", "ICD-10", "OPCS-4"}


@pytest.mark.django_db
def test_everything_shipped_is_published_as_version_one() -> None:
    made = load_criteria_set(at=AT)
    assert {v.number for v in [*made.code_lists, *made.criteria]} == {1}
    assert CodeList.objects.count() == 8
    in_force = criteria_in_force()
    assert {v.criterion.slug: v.criterion.tier for v in in_force} == {
        "solid-transplant": "HIGH",
        "severe-asthma": "HIGH",
        "cystic-fibrosis": "HIGH",
        "immunosuppression": "HIGH",
        "dialysis": "HIGH",
        "aged-70-and-over": "VULNERABLE",
        "pregnant": "VULNERABLE",
    }
    assert sorted(search_criterion(v).slug for v in in_force) == sorted(c.slug for c in shipped_criteria())
    assert all(v.plain_english == plain_english(search_criterion(v)) for v in in_force)
    assert all(v.published_at == AT for v in in_force)


@pytest.mark.django_db
def test_loading_twice_makes_nothing_new() -> None:
    load_criteria_set(at=AT)
    again = load_criteria_set(at=AT + timedelta(days=1))
    assert (again.code_lists, again.criteria) == ([], [])
    assert CriterionVersion.objects.count() == Criterion.objects.count() == 7


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], None]:
    shipped = dict(actions._shipped_lists())

    def change(slug: str, content: bytes) -> None:
        monkeypatch.setattr(actions, "_shipped_lists", lambda: iter((shipped | {slug: content}).items()))

    return change


@pytest.mark.django_db
def test_a_changed_code_list_is_the_next_version_and_so_is_every_criterion_that_reads_it(
    change: Callable[[str, bytes], None],
) -> None:
    load_criteria_set(at=AT)
    change("dialysis", b"system,code,paired_code,term\nOPCS-4,X403,,Haemodialysis\n")
    made = load_criteria_set(at=AT + timedelta(days=7))
    assert [str(v) for v in made.code_lists] == ["Dialysis version 2"]
    assert [str(v) for v in made.criteria] == ["Renal dialysis version 2"]
    in_force = {v.criterion.slug: v for v in criteria_in_force()}
    assert in_force["dialysis"].number == 2
    assert in_force["pregnant"].number == 1
    newest = made.code_lists[0]
    assert code_sets_for(list(in_force.values()))["dialysis"] == CodeSet(
        "dialysis", newest.pk, frozenset({("OPCS-4", "X403")})
    )


@pytest.mark.django_db
def test_a_list_changed_back_takes_up_its_old_version(change: Callable[[str, bytes], None]) -> None:
    load_criteria_set(at=AT)
    original = (FOLDER / "dialysis.csv").read_bytes()
    change("dialysis", original + b"OPCS-4,X404,,Haemoperfusion\n")
    load_criteria_set(at=AT + timedelta(days=7))
    change("dialysis", original)
    made = load_criteria_set(at=AT + timedelta(days=14))
    assert made.code_lists == []
    assert [v.number for v in made.criteria] == [3]
    (used,) = made.criteria[0].code_lists.all()
    assert used.number == 1


@pytest.mark.django_db
def test_a_changed_rule_is_the_next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    load_criteria_set(at=AT)
    changed = [replace(c, title="Pregnant women") for c in shipped_criteria() if c.slug == "pregnant"]
    monkeypatch.setattr(actions, "shipped_criteria", lambda: changed)
    made = load_criteria_set(at=AT + timedelta(days=7))
    assert [str(v) for v in made.criteria] == ["Pregnant women version 2"]
    assert CriterionVersion.objects.get(criterion__slug="pregnant", number=1).definition["title"] == "Pregnant"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"code,term\nX403,Haemodialysis\n",
        b"system,code,paired_code,term\nOPCS-4,,,Haemodialysis\n",
        b"system,code,paired_code,term\nOPCS-4,X403,,Haemodialysis, at home\n",
    ],
)
def test_a_wrong_file_loads_nothing(change: Callable[[str, bytes], None], content: bytes) -> None:
    change("dialysis", content)
    with pytest.raises(BadCodeListFile, match="dialysis"):
        load_criteria_set(at=AT)
    assert not CodeListVersion.objects.exists()


@pytest.mark.django_db
def test_a_criterion_without_its_list_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "_shipped_lists", lambda: iter(()))
    with pytest.raises(UnknownCodeList, match="solid-transplant"):
        load_criteria_set(at=AT)
    assert not Criterion.objects.exists()


@pytest.mark.django_db
def test_code_sets_hold_codes_and_pairs_of_the_versions_wanted() -> None:
    load_criteria_set(at=AT)
    sets = code_sets_for(criteria_in_force())
    assert set(sets) == set().union(*(code_lists(c) for c in shipped_criteria()))
    transplant = sets["solid-transplant"]
    assert transplant.pairs == {("OPCS-4", "B208", "Y012"), ("OPCS-4", "B208", "Y018")}
    assert ("OPCS-4", "M012") in transplant.codes
    assert ("OPCS-4", "B208") not in transplant.codes
    assert transplant.version == CodeListVersion.objects.get(code_list__slug="solid-transplant").pk
    assert sum(len(s.codes) + len(s.pairs) for s in sets.values()) == CodeListCode.objects.count()


@pytest.mark.django_db
def test_two_versions_of_one_list_in_a_search_are_refused(change: Callable[[str, bytes], None]) -> None:
    load_criteria_set(at=AT)
    old = criteria_in_force()
    change("dialysis", b"system,code,paired_code,term\nOPCS-4,X403,,Haemodialysis\n")
    load_criteria_set(at=AT)
    with pytest.raises(CodeListsDisagree, match="dialysis"):
        code_sets_for([*old, *criteria_in_force()])


@pytest.mark.django_db
def test_the_command_loads_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_criteria")
    assert "Loaded: Renal dialysis version 1" in capsys.readouterr().out
    call_command("load_criteria")
    assert "nothing has changed" in capsys.readouterr().out


def rows(slug: str) -> list[dict[str, str]]:
    with (FOLDER / f"{slug}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("slug", sorted(path.stem for path in FOLDER.glob("*.csv")))
def test_a_shipped_list_is_small_and_clean(slug: str) -> None:
    held = rows(slug)
    assert 8 <= len(held) <= 25
    keys = {(row["system"], row["code"], row["paired_code"]) for row in held}
    assert len(keys) == len(held)
    assert {row["system"] for row in held} <= SYSTEMS
    assert all(row["term"] and row["code"] == row["code"].strip() for row in held)
    assert any(slug in code_lists(criterion) for criterion in shipped_criteria())


def _verhoeff_is_valid(identifier: str) -> bool:
    """SNOMED identifiers end in a Verhoeff check digit, which a mistyped code fails."""
    turn = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for place, digit in enumerate(reversed(identifier)):
        value = int(digit)
        for _ in range(place % 8):
            value = turn[value]
        reflected = check >= 5
        step = value % 5
        rotated = (check - step) % 5 if reflected else (check + step) % 5
        check = rotated + 5 * (reflected != (value >= 5))
    return check == 0


@pytest.mark.parametrize("slug", sorted(path.stem for path in FOLDER.glob("*.csv")))
def test_snomed_and_dmd_codes_have_a_right_check_digit(slug: str) -> None:
    wrong = [r["code"] for r in rows(slug) if r["system"] in ("SNOMED", "DMD") and not _verhoeff_is_valid(r["code"])]
    assert wrong == []


def shipped_sets() -> dict[str, CodeSet]:
    return {
        path.stem: CodeSet(
            path.stem,
            1,
            frozenset((r["system"], r["code"]) for r in rows(path.stem) if not r["paired_code"]),
            frozenset((r["system"], r["code"], r["paired_code"]) for r in rows(path.stem) if r["paired_code"]),
        )
        for path in FOLDER.glob("*.csv")
    }


INHALER = ("DMD", "134498003", Source.MEDICINES)
STEROID = ("DMD", "325427002", Source.MEDICINES)


def asthma(inhaler: date, *steroids: date) -> list[Record]:
    return [
        Record(*INHALER[:2], inhaler, INHALER[2]),
        *(Record(*STEROID[:2], day, STEROID[2]) for day in steroids),
    ]


def days(*ago: int) -> list[date]:
    return [TODAY - timedelta(days=n) for n in ago]


@pytest.mark.parametrize(
    ("slug", "records", "is_met"),
    [
        ("severe-asthma", asthma(date(2019, 3, 20), *days(0, 30, 60, 90)), True),
        ("severe-asthma", asthma(date(2019, 3, 19), *days(0, 30, 60, 90)), False),
        ("severe-asthma", asthma(TODAY, *days(0, 30, 60)), False),
        ("severe-asthma", asthma(TODAY, *days(0, 0, 30, 60)), False),
        ("severe-asthma", asthma(TODAY, *days(0, 30, 60), date(2019, 9, 20)), True),
        ("severe-asthma", asthma(TODAY, *days(0, 30, 60), date(2019, 9, 19)), False),
        ("severe-asthma", asthma(TODAY, *days(0, 30, 60, 90))[1:], False),
        ("solid-transplant", [Record("OPCS-4", "M012", date(1999, 1, 1), Source.HOSPITAL)], True),
        ("solid-transplant", [Record("ICD-10", "C437", TODAY, Source.HOSPITAL)], False),
        ("solid-transplant", [Record("OPCS-4", "C437", TODAY, Source.HOSPITAL)], True),
        (
            "solid-transplant",
            [
                Record("OPCS-4", "B208", TODAY, Source.HOSPITAL, "1"),
                Record("OPCS-4", "Y012", TODAY, Source.HOSPITAL, "1"),
            ],
            True,
        ),
        ("cystic-fibrosis", [Record("ICD-10", "E840", date(1985, 1, 1), Source.HOSPITAL)], True),
        ("immunosuppression", [Record("BNF", "0802010G0", date(2019, 9, 20), Source.MEDICINES)], True),
        ("immunosuppression", [Record("BNF", "0802010G0", date(2019, 9, 19), Source.MEDICINES)], False),
        ("dialysis", [Record("OPCS-4", "X403", date(2019, 3, 20), Source.HOSPITAL)], True),
        ("dialysis", [Record("OPCS-4", "X403", date(2019, 3, 19), Source.HOSPITAL)], False),
        ("dialysis", [Record("SNOMED", "714152005", date(2001, 1, 1), Source.GP)], True),
        ("pregnant", [Record("SNOMED", "77386006", date(2019, 7, 10), Source.GP)], True),
        ("pregnant", [Record("SNOMED", "77386006", date(2019, 7, 9), Source.GP)], False),
        (
            "pregnant",
            [
                Record("SNOMED", "77386006", date(2019, 12, 1), Source.GP),
                Record("SNOMED", "11466000", date(2020, 3, 1), Source.GP),
            ],
            False,
        ),
        ("aged-70-and-over", [], False),
    ],
)
def test_the_shipped_rules_say_what_was_published(slug: str, records: list[Record], is_met: bool) -> None:
    criterion = next(c for c in shipped_criteria() if c.slug == slug)
    person = Person(date(1950, 3, 21), SexCode.FEMALE, tuple(records))
    assert evaluate(criterion, person, shipped_sets(), TODAY).is_met == is_met


def test_seventy_is_reached_on_the_birthday() -> None:
    criterion = next(c for c in shipped_criteria() if c.slug == "aged-70-and-over")
    found = evaluate(criterion, Person(date(1950, 3, 20), SexCode.MALE), {}, TODAY)
    assert [e.detail for e in found.evidence] == ["Aged 70"]


def test_nobody_without_records_is_at_high_risk() -> None:
    for criterion in shipped_criteria():
        if criterion.tier is Tier.HIGH:
            assert not evaluate(criterion, Person(date(1930, 1, 1), SexCode.MALE), shipped_sets(), TODAY).is_met


def test_what_the_sources_do_not_give_is_marked_as_an_assumption() -> None:
    notes = {c.slug: c.note for c in shipped_criteria()}
    for slug in ("solid-transplant", "severe-asthma", "immunosuppression", "dialysis"):
        assert "our assumption" in notes[slug].lower()


def test_the_docs_hold_the_shipped_set_in_plain_english(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_criteria", "--describe")
    assert capsys.readouterr().out.strip() in DOCS.read_text(encoding="utf-8"), (
        "docs/criteria.md is out of date: put in it what manage.py load_criteria --describe writes"
    )

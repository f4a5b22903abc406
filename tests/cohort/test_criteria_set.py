"""The shipped criteria: loaded once, versioned when changed, and said in plain English in the docs."""

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
from cohort.search.checks import check_criterion
from cohort.search.criteria import CodeSet, UnknownCodeList, code_lists
from cohort.search.criteria import Criterion as SearchCriterion
from cohort.search.english import plain_english
from cohort.search.reference import Person, evaluate
from cohort.search.terms import SexCode, Tier
from tests.cohort.shipped import FOLDER, LISTS, rows, shipped_code_sets

AT = datetime(2020, 3, 20, 9, 0, tzinfo=UTC)
TODAY = date(2020, 3, 20)
DOCS = Path(actions.__file__).parents[2] / "docs" / "criteria.md"
SYSTEMS = {"SNOMED", "DMD", "BNF", "ICD-10", "OPCS-4", "CTV3", "READ2"}
#: Where there are no more codes than these that we can vouch for.
SHORT_LISTS = {"body-mass-index", "corticosteroid-card", "diabetes-resolved", "severe-copd"}
#: Published on 16 September 2020, in the domain's order; the last two were added later.
PUBLISHED_GROUPS = [
    "Transplants (solid)",
    "Cancer (solid, with chemotherapy)",
    "Cancer (lung, with radical radiotherapy)",
    "Cancer (haematological, within 24 months)",
    "Transplants (haematological, within 6 months)",
    "Transplants (haematological, with immunosuppression)",
    "Respiratory (severe asthma)",
    "Respiratory (severe COPD)",
    "Respiratory (severe, permanent: cystic fibrosis and others)",
    "Corticosteroid safety card",
    "Rare genetic, metabolic and autoimmune diseases",
    "Immunosuppression therapy",
    "Pregnant with congenital heart defect",
    "Splenectomy",
    "Renal dialysis",
]
VULNERABLE = [
    "Aged 70 and over",
    "Chronic respiratory disease",
    "Chronic heart disease",
    "Chronic kidney disease",
    "Chronic liver disease",
    "Chronic neurological conditions",
    "Diabetes",
    "Spleen problems",
    "Weakened immune system",
    "Body mass index of 40 or over",
    "Pregnant",
]


@pytest.mark.parametrize(("tier", "groups"), [(Tier.HIGH, PUBLISHED_GROUPS), (Tier.VULNERABLE, VULNERABLE)])
def test_every_published_group_and_condition_is_there(tier: Tier, groups: list[str]) -> None:
    shipped = [criterion for criterion in shipped_criteria() if criterion.tier is tier]
    assert [criterion.disease_group for criterion in shipped] == groups
    assert [criterion.title for criterion in shipped] == groups


@pytest.mark.django_db
def test_everything_shipped_is_published_as_version_one() -> None:
    made = load_criteria_set(at=AT)
    assert {v.number for v in [*made.code_lists, *made.criteria]} == {1}
    assert CodeList.objects.count() == len(LISTS)
    in_force = criteria_in_force()
    assert {v.criterion.slug: v.criterion.tier for v in in_force} == {c.slug: c.tier for c in shipped_criteria()}
    assert sorted(search_criterion(v).slug for v in in_force) == sorted(c.slug for c in shipped_criteria())
    assert all(v.plain_english == plain_english(search_criterion(v)) for v in in_force)
    assert all(v.published_at == AT for v in in_force)


@pytest.mark.django_db
def test_loading_twice_makes_nothing_new() -> None:
    load_criteria_set(at=AT)
    again = load_criteria_set(at=AT + timedelta(days=1))
    assert (again.code_lists, again.criteria) == ([], [])
    assert CriterionVersion.objects.count() == Criterion.objects.count() == len(shipped_criteria())


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
    change("splenectomy", b"system,code,paired_code,term\nOPCS-4,J692,,Total splenectomy\n")
    made = load_criteria_set(at=AT + timedelta(days=7))
    assert [str(v) for v in made.code_lists] == ["Splenectomy version 2"]
    assert [str(v) for v in made.criteria] == ["Splenectomy version 2", "Spleen problems version 2"]
    in_force = {v.criterion.slug: v for v in criteria_in_force()}
    assert in_force["splenectomy"].number == 2
    assert in_force["pregnant"].number == 1
    newest = made.code_lists[0]
    assert code_sets_for(list(in_force.values()))["splenectomy"] == CodeSet(
        "splenectomy", newest.pk, frozenset({("OPCS-4", "J692")})
    )


@pytest.mark.django_db
def test_a_list_changed_back_takes_up_its_old_version(change: Callable[[str, bytes], None]) -> None:
    load_criteria_set(at=AT)
    original = (FOLDER / "rare-disease.csv").read_bytes()
    change("rare-disease", original + b"ICD-10,E830,,Disorders of copper metabolism\n")
    load_criteria_set(at=AT + timedelta(days=7))
    change("rare-disease", original)
    made = load_criteria_set(at=AT + timedelta(days=14))
    assert made.code_lists == []
    assert [v.number for v in made.criteria] == [3]
    (used,) = made.criteria[0].code_lists.all()
    assert used.number == 1


@pytest.mark.django_db
def test_a_changed_rule_is_the_next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    load_criteria_set(at=AT)
    changed = [replace(c, title="Pregnant women") if c.slug == "pregnant" else c for c in shipped_criteria()]
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


@pytest.mark.parametrize("slug", LISTS)
def test_a_shipped_list_is_small_and_clean(slug: str) -> None:
    held = rows(slug)
    assert len(held) <= 10 if slug in SHORT_LISTS else 10 <= len(held) <= 60
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


@pytest.mark.parametrize("slug", LISTS)
def test_snomed_and_dmd_codes_have_a_right_check_digit(slug: str) -> None:
    wrong = [r["code"] for r in rows(slug) if r["system"] in ("SNOMED", "DMD") and not _verhoeff_is_valid(r["code"])]
    assert wrong == []


@pytest.mark.parametrize("criterion", shipped_criteria(), ids=lambda criterion: criterion.slug)
def test_the_checks_before_publishing_find_nothing_wrong(criterion: SearchCriterion) -> None:
    assert check_criterion(criterion, shipped_code_sets(), search_date=TODAY) == []


def test_seventy_is_reached_on_the_birthday() -> None:
    criterion = next(c for c in shipped_criteria() if c.slug == "aged-70-and-over")
    found = evaluate(criterion, Person(date(1950, 3, 20), SexCode.MALE), {}, TODAY)
    assert [e.detail for e in found.evidence] == ["Aged 70"]


def test_nobody_without_records_is_at_high_risk() -> None:
    for criterion in shipped_criteria():
        if criterion.tier is Tier.HIGH:
            assert not evaluate(criterion, Person(date(1930, 1, 1), SexCode.MALE), shipped_code_sets(), TODAY).is_met


def test_what_the_sources_do_not_give_is_marked_as_an_assumption() -> None:
    notes = {c.slug: c.note.lower() for c in shipped_criteria()}
    wholly_published = {"aged-70-and-over", "pregnant"}
    assert {slug for slug, note in notes.items() if "our assumption" not in note} == wholly_published
    assert "all of this criterion is our assumption" in notes["severe-copd"]


def test_the_docs_hold_the_shipped_set_in_plain_english(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_criteria", "--describe")
    assert capsys.readouterr().out.strip() in DOCS.read_text(encoding="utf-8"), (
        "docs/criteria.md is out of date: put in it what manage.py load_criteria --describe writes"
    )

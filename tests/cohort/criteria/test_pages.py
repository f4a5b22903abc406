"""The pages of criteria and drafts, as clinicians use them: forms, not JSON, and every refusal in plain words."""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from cohort.actions import drafts as actions
from cohort.actions.cases import add_case
from cohort.models import AssuranceCase, CriterionDraft, CriterionVersion
from cohort.queries.drafts import opened
from cohort.search import criteria as model
from cohort.search.terms import CountedAs, FixedWindow, Source, ValueRange
from shielding.accounts.models import Membership, Role
from tests.cohort.criteria.conftest import ASTHMA, INHALER, PREDNISOLONE, example
from tests.cohort.factories import NOW

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def page(sign_in: Any, chidi: Membership) -> Any:
    return sign_in(chidi)


@pytest.fixture
def draft(asthma: CriterionVersion, chidi: Membership) -> CriterionDraft:
    return actions.begin_draft(criterion=asthma.criterion, by=chidi, at=NOW)


def address(draft: CriterionDraft, name: str = "draft") -> str:
    return reverse(f"cohort:{name}", args=[draft.pk])


def post(page: Any, draft: CriterionDraft, name: str, query: str = "", **data: Any) -> Any:
    seen = CriterionDraft.objects.get(pk=draft.pk).revision_number
    return page.post(address(draft, name) + query, {"seen": seen, **data}, follow=True)


def rule(draft: CriterionDraft) -> Any:
    return opened(CriterionDraft.objects.get(pk=draft.pk), on=NOW.date()).criterion.rule


RECORDS: dict[str, Any] = {
    "label": "Tablets",
    "code_list": "prednisolone",
    "sources": ["MEDICINES"],
    "window_kind": "EVER",
    "at_least": "1",
    "counted_as": "RECORDS",
}


def test_the_list_shows_what_is_in_force_and_the_open_draft(page: Any, draft: CriterionDraft) -> None:
    shown = text(page.get(reverse("cohort:criteria")))
    assert "Severe asthma" in shown
    assert "Version 1, since 20 March 2020" in shown
    assert address(draft) in shown
    assert "No search has been run yet" in shown


def test_without_criteria_the_list_says_what_to_do(page: Any) -> None:
    assert "There are no criteria yet" in text(page.get(reverse("cohort:criteria")))


def test_a_draft_is_begun_from_the_criterion_and_opened_again_by_another(
    page: Any, asthma: CriterionVersion, sign_in: Any, ingrid: Membership
) -> None:
    begin = reverse("cohort:begin_draft", args=["severe-asthma"])
    shown = text(page.post(begin, follow=True))
    assert "Based on version 1".lower() in shown.lower()
    assert "Prednisolone dispensed: records on 4 or more different days" in shown
    assert "Dr Chidi Eze began a draft" in text(sign_in(ingrid).post(begin, follow=True))
    assert CriterionDraft.objects.count() == 1


def test_a_clause_is_changed_in_its_form(page: Any, draft: CriterionDraft) -> None:
    form = text(page.get(address(draft, "edit_clause") + "?at=1"))
    assert 'value="Prednisolone dispensed"' in form
    shown = text(
        post(
            page,
            draft,
            "edit_clause",
            "?at=1",
            **RECORDS
            | {
                "at_least": "3",
                "at_least_reason": "Scotland's rule",
                "counted_as": "COURSES",
                "course_gap": "14",
                "course_gap_reason": "Two weeks",
                "window_kind": "RELATIVE",
                "window_length": "12",
                "window_unit": "MONTHS",
                "window_reason": "Scotland's rule",
            },
        )
    )
    assert "3 or more courses" in shown
    assert "Changed “Tablets”, by Dr Chidi Eze" in shown
    changed = rule(draft).clauses[1]
    assert (changed.counted_as, changed.course_gap.value, changed.window.length) == (CountedAs.COURSES, 14, 12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": ""}, "Enter what practices read beside the evidence"),
        ({"at_least": "0"}, "How many at least: must be from 1 to 1000"),
        ({"at_least": "4"}, "Why so many: must say why this number"),
        ({"sources": []}, "Select where to look"),
        ({"window_kind": "RELATIVE"}, "Enter how long, such as 6"),
        ({"window_kind": "RELATIVE", "window_length": "6", "window_unit": "MONTHS"}, "Enter why so long"),
        (
            {"window_kind": "RELATIVE", "window_length": "9999", "window_unit": "MONTHS", "window_reason": "Long"},
            "How long: must be from 1 to 1440 months",
        ),
        ({"window_kind": "FIXED"}, "Enter the first day"),
        (
            {
                "window_kind": "FIXED",
                "window_first_day": "2", "window_first_month": "3", "window_first_year": "2020",
                "window_last_day": "1", "window_last_month": "3", "window_last_year": "2020",
                "window_days_reason": "Spring",
            },
            "Last day: must not be before first",
        ),
        ({"counted_as": "COURSES"}, "Enter the longest gap within a course"),
        ({"value_at_least": "40"}, "Why these values: must say why these values"),
        ({"value_at_least": "40", "value_under": "30", "value_reason": "x"}, "must be more than at_least"),
        ({"code_list": ""}, "Select code list"),
        ({"label": "Long-acting inhaler"}, "two different clauses are both called"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_clause_is_told_and_nothing_is_saved(
    change: dict[str, Any], words: str, page: Any, draft: CriterionDraft
) -> None:
    shown = text(post(page, draft, "edit_clause", "?at=1", **RECORDS | change))
    assert "There is a problem" in shown
    assert words.lower() in shown.lower()
    assert rule(draft) == ASTHMA.rule


ADDED: list[tuple[str, dict[str, Any], model.Clause]] = [
    ("AGE", {"at_least": "18", "at_least_reason": "Adults"}, model.Age(model.Threshold(18, "Adults"))),
    ("SEX", {"any_of": ["F"]}, model.Sex((model.SexCode.FEMALE,))),
    (
        "NOT_FOLLOWED_BY",
        {"followed_by": "asthma-inhaler"},
        model.NotFollowedBy("Tablets", "prednisolone", "asthma-inhaler", (Source.MEDICINES,)),
    ),
    (
        "LATEST_OF_TWO",
        {"other_list": "asthma-inhaler"},
        model.LatestOfTwo("Tablets", "prednisolone", "asthma-inhaler", (Source.MEDICINES,)),
    ),
    (
        "LATEST_VALUE",
        {"value_at_least": "40", "value_unit": "kg/m2", "value_reason": "Obese"},
        model.LatestValue("Tablets", "prednisolone", ValueRange("Obese", 40, unit="kg/m2"), (Source.MEDICINES,)),
    ),
    ("SAME_EPISODE", {"with_list": "asthma-inhaler"}, model.SameEpisode("Tablets", "prednisolone", "asthma-inhaler")),
    (
        "RECORDS",
        {
            "window_kind": "FIXED",
            "window_first_day": "1", "window_first_month": "2", "window_first_year": "2020",
            "window_days_reason": "Since February",
        },
        model.Records(
            "Tablets", "prednisolone", (Source.MEDICINES,), FixedWindow(date(2020, 2, 1), "Since February")
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "typed", "clause"), ADDED)
def test_a_clause_of_each_kind_is_added(
    kind: str, typed: dict[str, Any], clause: model.Clause, page: Any, draft: CriterionDraft
) -> None:
    assert f"kind={kind}" in text(page.get(address(draft, "add_clause") + "?at="))
    post(page, draft, "add_clause", f"?at=&kind={kind}", **RECORDS | typed)
    assert rule(draft).clauses[2] == clause
    form = text(page.get(address(draft, "edit_clause") + "?at=2"))
    said = [value for name, value in typed.items() if name.endswith("reason")]
    assert all(f'value="{words}"' in form for words in said)


@pytest.mark.parametrize(
    ("at", "do", "wanted"),
    [
        ("0", "DOWN", model.AllOf((ASTHMA.rule.clauses[1], ASTHMA.rule.clauses[0]))),
        ("0", "REMOVE", model.AllOf((ASTHMA.rule.clauses[1],))),
        ("1", "NONE_OF", model.AllOf((ASTHMA.rule.clauses[0], model.NoneOf((ASTHMA.rule.clauses[1],))))),
        ("", "ANY_OF", model.AnyOf((ASTHMA.rule,))),
        ("0", "UP", ASTHMA.rule),
        ("7", "REMOVE", ASTHMA.rule),
    ],
)
def test_clauses_are_moved_grouped_and_removed(
    at: str, do: str, wanted: model.Clause, page: Any, draft: CriterionDraft
) -> None:
    shown = post(page, draft, "move_clause", at=at, do=do)
    assert rule(draft) == wanted
    assert ("Not changed." in text(shown)) == (wanted == ASTHMA.rule)


def test_a_group_is_changed_to_at_least_so_many(page: Any, draft: CriterionDraft) -> None:
    assert "Enter how many at least" in text(post(page, draft, "edit_clause", "?at=", kind="AT_LEAST"))
    too_many = {"kind": "AT_LEAST", "count": "3", "count_reason": "Why"}
    assert "must not be more than there are clauses" in text(post(page, draft, "edit_clause", "?at=", **too_many))
    post(page, draft, "edit_clause", "?at=", kind="AT_LEAST", count="2", count_reason="Both")
    assert rule(draft) == model.AtLeast(model.Threshold(2, "Both"), ASTHMA.rule.clauses)


def test_a_change_made_while_another_had_the_form_open_is_not_overwritten(page: Any, draft: CriterionDraft) -> None:
    post(page, draft, "move_clause", at="0", do="DOWN")
    late = page.post(address(draft, "edit_clause") + "?at=1", {"seen": 1, **RECORDS}, follow=True)
    assert "Dr Chidi Eze changed this draft while you had it open: Moved “Long-acting inhaler”" in text(late)
    assert "Tablets" not in str(rule(draft))


def test_what_it_is_called_is_changed(page: Any, draft: CriterionDraft) -> None:
    about = {"title": "Asthma", "tier": "VULNERABLE", "disease_group": "Respiratory", "note": "Argued over"}
    shown = text(post(page, draft, "draft_about", **about))
    assert "Changed the title, tier, disease group, note" in shown
    assert "People are vulnerable (Respiratory)" in shown


def test_errors_and_failing_examples_keep_a_draft_from_being_proposed(
    page: Any, draft: CriterionDraft, chidi: Membership
) -> None:
    add_case(criterion=draft.criterion, case=example("Three", 3, expected=True), by=chidi, at=NOW)
    post(page, draft, "move_clause", at="", do="NONE_OF")
    shown = text(post(page, draft, "propose_draft", reason="Try"))
    assert "Something stands in the way" in shown
    assert "Somebody with no records at all meets this rule" in shown
    post(page, draft, "move_clause", at="0", do="OUT")
    assert "Enter what changes, and why" in text(post(page, draft, "propose_draft"))
    assert CriterionDraft.objects.get().state == "DRAFT"


def test_proposed_signed_off_by_another_and_published(
    page: Any, draft: CriterionDraft, sign_in: Any, chidi: Membership, ingrid: Membership
) -> None:
    post(page, draft, "move_clause", at="0", do="DOWN")
    assert "Another clinician must now sign it off" in text(post(page, draft, "propose_draft", reason="Reads better"))
    own = text(page.get(address(draft)))
    assert "another clinician must sign it off" in own
    assert "Save my answer" not in own
    assert "You have changed this draft" in text(post(page, draft, "sign_off_draft", outcome="APPROVED"))
    other = sign_in(ingrid)
    assert "Enter what must change" in text(post(other, draft, "sign_off_draft", outcome="DECLINED"))
    assert "It can be published now" in text(post(other, draft, "sign_off_draft", outcome="APPROVED"))
    shown = text(post(other, draft, "publish_draft"))
    assert "Published: Severe asthma version 2" in shown
    assert "Dr Chidi Eze" in shown
    differs = text(other.get(reverse("cohort:compare_versions", args=["severe-asthma"])))
    assert "Removed: " in differs
    assert "Added: " in differs


def test_a_draft_is_discarded(page: Any, draft: CriterionDraft) -> None:
    assert "Draft discarded" in text(post(page, draft, "discard_draft"))
    assert "can no longer be changed" in text(post(page, draft, "move_clause", at="0", do="DOWN"))


def test_a_new_criterion_is_begun_with_a_list(page: Any, asthma: CriterionVersion) -> None:
    new = {"title": "Steroids", "slug": "steroids", "tier": "VULNERABLE", "disease_group": "Steroids"}
    begin = reverse("cohort:new_criterion")
    assert "There is a problem" in text(page.post(begin, new))
    assert "There is a criterion called Severe asthma already" in text(
        page.post(begin, new | {"slug": "severe-asthma", "code_list": "prednisolone"})
    )
    shown = text(page.post(begin, new | {"code_list": "prednisolone"}, follow=True))
    assert "of a new criterion" in shown
    assert "a record from the list “prednisolone”" in shown
    assert text(page.get(reverse("cohort:criteria"))).count("Not yet") == 1


PERSON = {
    "name": "Four days",
    "expected": "yes",
    "why": "England's rule",
    "sex": "F",
    "birth_date_day": "1", "birth_date_month": "2", "birth_date_year": "1960",
    "search_date_day": "14", "search_date_month": "3", "search_date_year": "2020",
    "rows": "4",
}  # fmt: skip


def record(row: int, code: str, day: int, source: str = "MEDICINES") -> dict[str, str]:
    start = f"record{row}-"
    day_parts = {f"{start}date_day": str(day), f"{start}date_month": "3", f"{start}date_year": "2020"}
    return {f"{start}code": code, **day_parts, f"{start}source": source}


def test_an_example_person_is_added_record_by_record(page: Any, draft: CriterionDraft) -> None:
    add = reverse("cohort:add_case", args=["severe-asthma"])
    found = page.post(add, PERSON | {"term": "term of 325", "find": "1"})
    assert f"DMD {PREDNISOLONE}" in text(found)
    assert "There is a problem" not in text(found)
    assert "Record 8" in text(page.post(add, PERSON | {"more": "1"}))
    rows = {**record(0, INHALER, 1), **record(1, PREDNISOLONE, 2), **record(2, f"DMD {PREDNISOLONE}", 3)}
    shown = text(page.post(add, PERSON | rows | {"save": "1"}, follow=True))
    assert "Example person added" in shown
    assert "expected on the list, but: Prednisolone dispensed: 2 of 4 needed." in shown
    assert [row["code"] for row in AssuranceCase.objects.get().records] == [INHALER, PREDNISOLONE, PREDNISOLONE]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (record(0, "123", 1), "Enter a code of this criterion&#39;s lists"),
        ({"record0-code": PREDNISOLONE}, "Enter the date"),
        (record(0, PREDNISOLONE, 1) | {"record0-episode": "e1"}, "Only hospital records have an episode"),
        (record(0, PREDNISOLONE, 1, source=""), "Select the source"),
        ({"birth_date_year": "2021"}, "Date of birth must not be after the search date"),
        ({"name": ""}, "Enter name of the example"),
    ],
)
def test_what_is_wrong_with_an_example_is_told(
    change: dict[str, str], words: str, page: Any, draft: CriterionDraft
) -> None:
    add = reverse("cohort:add_case", args=["severe-asthma"])
    shown = text(page.post(add, PERSON | change | {"save": "1"}, follow=True))
    assert "There is a problem" in shown
    assert words in shown
    assert not AssuranceCase.objects.exists()


def test_an_example_is_taken_out_with_a_reason(page: Any, draft: CriterionDraft, chidi: Membership) -> None:
    row = add_case(criterion=draft.criterion, case=example("Four", 4, expected=True), by=chidi, at=NOW)
    one = reverse("cohort:case", args=["severe-asthma", row.pk])
    assert "There is a problem" in text(page.post(one, {"why": ""}))
    assert "no longer used" in text(page.post(one, {"why": "Not how it works"}, follow=True))
    assert "Not how it works" in text(page.get(one))


PAGES = ["criteria", "code_lists"]


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.CENTRAL_CLINICIAN, Role.CENTRAL_OPERATOR)])
def test_nobody_else_sees_criteria(role: Role, sign_in: Any, clinician: Any, draft: CriterionDraft) -> None:
    window = sign_in(clinician("Somebody else", role))
    for url in [*(reverse(f"cohort:{name}") for name in PAGES), address(draft)]:
        assert window.get(url).status_code == 403


def test_an_operator_reads_and_changes_nothing(sign_in: Any, clinician: Any, draft: CriterionDraft) -> None:
    window = sign_in(clinician("Olive Operator", Role.CENTRAL_OPERATOR))
    shown = window.get(address(draft))
    assert shown.status_code == 200
    assert "Propose" not in text(shown)
    for name in ("move_clause", "propose_draft", "sign_off_draft", "publish_draft", "discard_draft"):
        assert window.post(address(draft, name), {"seen": 1}).status_code == 403

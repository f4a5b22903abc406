"""Every page of criteria, drafts and code lists, in a real browser, meets WCAG 2.2 AA and fits a phone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cohort.actions import drafts as actions
from cohort.actions.cases import add_case
from cohort.models import CriterionDraft, CriterionVersion, Extract
from shielding.accounts.models import Membership
from tests.browser import axe, browser, page
from tests.cohort.criteria.conftest import ASTHMA, INHALER, example, make_list, publish, with_count
from tests.cohort.criteria.test_previews import extract, places
from tests.cohort.factories import NOW

__all__ = ["axe", "browser", "extract", "page", "places"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asthma(transactional_db: None) -> CriterionVersion:
    lists = [make_list("asthma-inhaler", INHALER), make_list("prednisolone", "325426006")]
    publish(ASTHMA, *lists)
    return publish(ASTHMA, *lists, number=2)


def test_every_page_is_accessible_and_a_draft_is_made_by_keyboard(
    asthma: CriterionVersion,
    chidi: Membership,
    ingrid: Membership,
    extract: Extract,
    places: None,
    client: Client,
    live_server: Any,
    page: Any,
    axe: Callable[[Any], None],
    tmp_path: Path,
) -> None:
    def work_as(member: Membership) -> None:
        client.force_login(member.user)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        page.context.add_cookies([cookie])

    make_list("prednisolone", "325426006", "325427002", number=2)
    work_as(chidi)
    one = reverse("cohort:criterion", args=["severe-asthma"])
    page.goto(one)
    axe(page)
    page.get_by_role("button", name="Draft a change").press("Enter")
    page.get_by_role("heading", name="How many people").wait_for()
    draft = CriterionDraft.objects.get()
    add_case(criterion=asthma.criterion, case=example("Three days, not four", 3, expected=True), by=chidi, at=NOW)
    case = add_case(
        criterion=asthma.criterion, case=example("Four " + "very long " * 12, 4, expected=True), by=chidi, at=NOW
    )
    page.get_by_role("button", name="Count it").press("Enter")
    page.get_by_text("By clause, age, sex and area").wait_for()
    axe(page)
    page.locator("summary", has_text="Move, group or remove “All").press("Enter")
    page.get_by_role("button", name="Put under “None of these” “All of these”").press("Enter")
    page.get_by_text("Somebody with no records at all").first.wait_for()
    axe(page)  # with errors of the checks, and an example that fails
    page.get_by_label("What changes, and why").fill("Turned round")
    page.get_by_role("button", name="Propose for sign-off").press("Enter")
    page.get_by_text("Something stands in the way").wait_for()
    axe(page)
    now = CriterionDraft.objects.get()
    actions.change_draft(
        draft_id=draft.pk,
        seen=now.revision_number,
        criterion=ASTHMA,
        what="Turned back",
        by=chidi,
        at=timezone.now(),
    )
    actions.change_draft(
        draft_id=draft.pk,
        seen=now.revision_number + 1,
        criterion=with_count(CriterionDraft.objects.get(), 3),
        what="Asked for three",
        by=chidi,
        at=timezone.now(),
    )
    in_draft = reverse("cohort:draft", args=[draft.pk])
    page.goto(in_draft)
    page.get_by_role("button", name="Count it").press("Enter")
    page.get_by_text("By clause, age, sex and area").press("Enter")
    page.get_by_role("heading", name="4 people").wait_for()
    axe(page)
    edit, add = (reverse(f"cohort:{name}", args=[draft.pk]) for name in ("edit_clause", "add_clause"))
    kinds = ("AGE", "SEX", "NOT_FOLLOWED_BY", "LATEST_VALUE", "SAME_EPISODE")
    for url in (
        reverse("cohort:criteria"),
        reverse("cohort:new_criterion"),
        f"{one}compare/",
        reverse("cohort:case", args=["severe-asthma", case.pk]),
        reverse("cohort:add_case", args=["severe-asthma"]),
        reverse("cohort:draft_about", args=[draft.pk]),
        f"{edit}?at=",
        f"{edit}?at=1",
        f"{add}?at=",
        *(f"{add}?at=&kind={kind}" for kind in kinds),
        reverse("cohort:code_lists"),
        reverse("cohort:code_list", args=["prednisolone"]),
        f"{reverse('cohort:compare_code_lists', args=['prednisolone'])}?from=1&to=2",
        reverse("cohort:upload_code_list"),
    ):
        page.goto(live_server.url + url)
        axe(page)

    page.goto(live_server.url + f"{add}?at=&kind=RECORDS")
    page.get_by_label("A time up to the search date").press("Space")
    page.get_by_role("button", name="Add", exact=True).press("Enter")
    page.get_by_role("alert").wait_for()
    axe(page)  # with its errors

    file = tmp_path / "annex.csv"
    file.write_text("system,code,paired_code,term\nDMD,325427002,,Tablets\nDMD,12,,Wrong\n")
    page.goto(live_server.url + reverse("cohort:upload_code_list"))
    page.get_by_label("Code list", exact=True).select_option("prednisolone")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Where it comes from").fill("Invented")
    page.get_by_role("button", name="Read the file").press("Enter")
    page.get_by_text("1 code can be used").wait_for()
    axe(page)

    page.goto(live_server.url + reverse("cohort:case", args=["severe-asthma", case.pk]))
    page.goto(live_server.url + in_draft)
    page.get_by_label("What changes, and why").fill("Scotland asks for three")
    page.get_by_role("button", name="Propose for sign-off").press("Enter")
    page.get_by_text("You have changed this draft").wait_for()
    work_as(ingrid)
    page.goto(live_server.url + in_draft)
    axe(page)
    page.get_by_role("button", name="Save my answer").press("Enter")
    page.get_by_role("alert").wait_for()
    axe(page)  # with its error

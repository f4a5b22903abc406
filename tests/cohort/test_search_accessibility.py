"""The operator's pages of searches, in a real browser, meet WCAG 2.2 AA and fit a phone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from cohort.actions.facts import recompute
from cohort.models import Flag, ListFact, SearchRun
from shielding.accounts.models import Organisation, Role
from tests.browser import axe, browser, page
from tests.cohort.factories import (
    NOW,
    Cast,
    CriterionFactory,
    CriterionVersionFactory,
    FlagFactory,
    ListEntryFactory,
    MembershipFactory,
    OrganisationFactory,
    SearchRunFactory,
    make_cast,
)

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def a_later_run(cast: Cast) -> SearchRun:
    """A run a week later that kept everything: Charlie is lost, sixty people are new at a practice with a long name."""
    run = SearchRunFactory(
        search_date=(NOW + timedelta(days=7)).date(),
        finished_at=NOW + timedelta(days=7),
        people_searched=56_000_000,
        people_flagged=62,
        people_not_searched=1,
        kind="INCREMENTAL",
        since=cast.run,
        kind_reason="Only those whose records, age or time windows changed since then are searched.",
    )
    practice = OrganisationFactory(name="The Wolfeschlegelsteinhausenbergerdorff Memorial Surgery and Health Centre")
    high = CriterionVersionFactory(criterion__slug="severe-asthma")
    aged = CriterionVersionFactory(criterion=CriterionFactory(slug="aged-70-and-over", tier="VULNERABLE"))
    run.criteria.set([high, aged, CriterionVersionFactory(criterion__slug="solid-transplant")])
    Flag.objects.filter(patient=cast.charlie).update(ended_in=run)
    for _ in range(6):
        entry = ListEntryFactory(practice_list=cast.practice_list, patient__practice=practice)
        FlagFactory(run=run, patient=entry.patient, criterion_version=high)
    for version, people in ((high, 171_007), (aged, 9_100_000)):
        run.counts.create(criterion_version=version, practice=practice, people=people)
    run.combinations.create(criterion_versions=[high.pk], people=160_000)
    for number, (path, label, people) in enumerate(
        [
            ("", "All of these", 171_007),
            ("0", "An inhaler, in the 12 months before", 5_000_000),
            ("1", "Any of", 200_000),
        ]
    ):
        run.attrition.create(
            criterion_version=high, number=number, path=path, label=label, people=people, remaining=people
        )
    for band in ("5-9", "70-74", "90+"):
        for sex in "FM":
            run.groups.create(criterion_version=high, age_band=band, sex=sex, people=12_345)
    return run


def test_every_page_of_searches_is_accessible(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    run = a_later_run(cast)
    running = SearchRunFactory(
        state="RUNNING",
        started_at=timezone.now() - timedelta(minutes=5, seconds=30),
        finished_at=None,
        percent=60,
        doing="Reading everybody's records",
        kind_reason="The criteria have changed since the search of 14 March 2020.",
    )
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    client.force_login(MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR).user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    here = f"/searches/{run.pk}/"
    version = run.criteria.get(criterion__slug="severe-asthma")
    for url in (
        "/searches/",
        f"/searches/{running.pk}/",
        here,
        f"{here}criteria/{version.pk}/",
        f"{here}difference/",
        f"{here}difference/?group=Transplants+(solid)",
        f"/searches/{cast.run.pk}/difference/",
    ):
        page.goto(url)
        axe(page)

    page.goto(f"/searches/{running.pk}/")
    page.get_by_text("About 4 minutes left.").wait_for()
    page.goto(f"{here}difference/")
    page.get_by_text("6 gained, 1 lost, 0 found on other evidence").wait_for()
    page.get_by_label("Disease group").select_option("Transplants (solid)")
    page.get_by_role("button", name="Show").press("Enter")
    page.get_by_text("0 gained, 1 lost, 0 found on other evidence").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Counts under 5 hidden, to pass on (CSV)").click()
    assert "fewer than 5" in download.value.path().read_text(encoding="utf-8-sig")


def test_the_progress_of_a_search_renews_itself_until_it_has_ended(
    transactional_db: None, client: Client, live_server: Any, page: Any
) -> None:
    run = SearchRunFactory(state="QUEUED", finished_at=None)
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    client.force_login(MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR).user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.clock.install()
    page.goto(f"/searches/{run.pk}/")
    main, moved_on = page.locator("main"), page.get_by_text("This search has moved on")
    expect(main).to_contain_text("Waiting for a worker")
    expect(page.get_by_role("link", name="Check progress again")).to_be_visible()  # without JavaScript
    cancel = page.get_by_role("button", name="Cancel the search")
    cancel.focus()
    its = SearchRun.objects.filter(pk=run.pk)
    for percent, doing in ((0, "Starting"), (60, "Reading everybody's records")):
        its.update(state="RUNNING", started_at=timezone.now(), percent=percent, doing=doing)
        page.clock.run_for(11_000)
        expect(main).to_contain_text(f"{doing}: {percent}%")
        expect(moved_on).to_be_hidden()
    its.update(state="FAILED", finished_at=timezone.now(), error="The search stopped: MemoryError.")
    page.clock.run_for(11_000)
    expect(main).to_contain_text("The search stopped: MemoryError. Nothing was changed.")
    expect(moved_on).to_be_visible()
    expect(cancel).to_be_focused()
    page.get_by_role("link", name="Show the page anew").click()
    expect(cancel).to_be_hidden()


def test_a_list_with_people_no_longer_found_is_accessible(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    run = SearchRunFactory(search_date=(NOW + timedelta(days=7)).date())
    Flag.objects.filter(patient=cast.amina).update(ended_in=run)
    said = ListFact.objects.get(patient=cast.amina)
    ListFact.objects.create(patient=cast.amina, source="ALGORITHM", run=run, at=NOW, withdraws=said)
    recompute(patient_ids=[cast.amina.pk], at=NOW)
    client.force_login(cast.gp.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    here = f"/lists/{cast.practice_list.pk}/"
    for url in ("/lists/", f"{here}?tab=no-longer-found", f"{here}people/{cast.amina.pk}/"):
        page.goto(url)
        axe(page)

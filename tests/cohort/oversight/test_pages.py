"""The pages of oversight: which lists they show, in which order, and what a lead of a care system is not told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cohort.long_lists import LATE
from cohort.models import HospitalList, Reminder
from cohort.queries.oversight import Show, Sort, chosen, in_order, lists, rows
from cohort.spreadsheets import read_csv
from shielding.accounts.models import Membership, Organisation
from tests.cohort.factories import NOW, MembershipFactory, OrganisationFactory
from tests.cohort.oversight.scene import TODAY, care_system, lead, on, operator, practice_list, put
from tests.cohort.validation.pages import read

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Any]


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def north(db: None) -> Organisation:
    return care_system()


def test_the_centre_alone_sees_which_lists_of_hospitals_are_stuck(
    north: Organisation, today: None, sign_in: SignIn
) -> None:
    unit = OrganisationFactory(kind="HOSPITAL", name="Dialysis unit of Saint Anne's")
    member = MembershipFactory(organisation=unit)

    def send(**details: Any) -> HospitalList:
        return HospitalList.objects.create(
            unit=unit, via="UPLOAD", checked_by=member.user, sha256="", **{"checked_at": NOW - LATE * 2} | details
        )

    failed = send(state="FAILED", failure="FAULT", tries=5, tried_at=NOW)
    waiting = send(state="WAITING", checked_at=NOW - LATE - timedelta(seconds=1))
    others = [
        send(state="WAITING", checked_at=NOW - LATE),
        send(state="CHECKED"),
        send(state="SENDING", sent_at=NOW, sent_by=member.user),
        send(state="SENT", sent_at=NOW - LATE * 2, sent_by=member.user),
    ]
    page = read(sign_in(operator()).get(reverse("cohort:oversight")))
    assert "2 lists of hospital units are stuck" in page
    assert f"{str(failed.pk)[:8]}" in page
    assert "Our service has a fault. Tried 5 times." in page
    assert f"{str(waiting.pk)[:8]}" in page
    assert not any(str(other.pk)[:8] in page for other in others)
    assert "stuck" not in read(sign_in(lead(north)).get(reverse("cohort:area")))
    failed.delete()
    waiting.delete()
    assert "stuck" not in read(sign_in(operator()).get(reverse("cohort:oversight")))


@pytest.fixture
def scene(north: Organisation, today: None) -> dict[str, Any]:
    """Elm is overdue and escalated, Oak due, Ash signed off, all in the north; Harbour in the south is overdue."""
    gp = MembershipFactory()
    south = care_system("South care system")
    made = {
        "Elm": practice_list(-3, ics=north, practice__name="Elm Surgery", practice__phone="01632 960001"),
        "Oak": practice_list(1, ics=north, practice__name="Oak Surgery"),
        "Ash": practice_list(-4, ics=north, practice__name="Ash Surgery", submitted_at=NOW, submitted_by=gp.user),
        "Harbour": practice_list(-1, ics=south, practice__name="=Harbour Practice", practice__code="01234"),
    }
    practice_list(-9, ics=north, practice__name="Closed Surgery", practice__closed_date=on(-1))
    put(made["Elm"], gp, to_review=3, confirmed=5, removed=1, added=1)
    put(made["Oak"], gp, to_review=20, confirmed=20)
    put(made["Harbour"], gp, to_review=8, confirmed=2)
    reminders = (("OVERDUE", "SENT"), ("ESCALATED", "NOBODY"))
    for hour, (kind, state) in enumerate(reminders):
        Reminder.objects.create(
            practice_list=made["Elm"],
            kind=kind,
            due_date=made["Elm"].due_date,
            state=state,
            claimed_at=NOW.replace(hour=9 + hour),
            sent_at=NOW if state == "SENT" else None,
            written_to=int(state == "SENT"),
        )
    return made


def names(found: Any) -> list[str]:
    return [row.practice.name.split()[0].lstrip("=") for row in found]


@pytest.mark.parametrize(
    ("options", "sort", "expected"),
    [
        ({}, Sort.DUE, ["Elm", "Harbour", "Oak"]),
        ({}, Sort.NAME, ["Harbour", "Elm", "Oak"]),
        ({}, Sort.LEFT, ["Oak", "Harbour", "Elm"]),
        ({}, Sort.PROGRESS, ["Harbour", "Oak", "Elm"]),
        ({"show": Show.ALL}, Sort.PROGRESS, ["Harbour", "Oak", "Elm", "Ash"]),
        ({"show": Show.OVERDUE}, Sort.DUE, ["Elm", "Harbour"]),
        ({"show": Show.ESCALATED}, Sort.DUE, ["Elm"]),
        ({"show": Show.NOT_REACHED}, Sort.DUE, ["Elm"]),
        ({"show": Show.SIGNED_OFF}, Sort.DUE, ["Ash"]),
        ({"name": "surg elm"}, Sort.DUE, ["Elm"]),
        ({"name": "0123"}, Sort.DUE, ["Harbour"]),
        ({"name": "nowhere"}, Sort.DUE, []),
    ],
)
def test_lists_are_filtered_and_sorted(
    scene: dict[str, Any], options: dict[str, Any], sort: Sort, expected: list[str]
) -> None:
    assert names(in_order(chosen(operator(), today=TODAY, **options), sort)) == expected


def test_a_row_has_its_counts_and_last_reminder(scene: dict[str, Any]) -> None:
    (row,) = rows([scene["Elm"]])
    assert (row.to_review, row.reviewed, row.everybody, row.percent) == (3, 7, 10, 70)
    assert row.reminder is not None
    assert (row.reminder.kind, row.reminder.state) == ("ESCALATED", "NOBODY")


def test_the_centre_sees_all_of_it(scene: dict[str, Any], sign_in: SignIn) -> None:
    page = read(sign_in(operator()).get(reverse("cohort:oversight")))
    assert "1 of 4 lists are signed off. 2 are overdue, 1 of these escalated" in page
    assert "Elm Surgery" in page
    assert "Overdue by 3 days" in page
    assert "Told the care system: nobody to write to" in page.replace("system : ", "system: ")
    assert "01632 960001" in page
    assert "Closed Surgery" not in page
    shown = read(sign_in(operator()).get(reverse("cohort:oversight"), {"show": "nonsense", "run": "x", "page": "99"}))
    assert "Elm Surgery" in shown


def test_the_download_is_what_is_shown_and_safe(scene: dict[str, Any], sign_in: SignIn) -> None:
    answer = sign_in(operator()).get(reverse("cohort:oversight_csv"), {"show": "overdue"})
    content = b"".join(answer.streaming_content)
    elm, harbour = read_csv(content)
    assert (elm["practice"], elm["to_review"], elm["people"], elm["percent_reviewed"]) == (
        "Elm Surgery",
        "3",
        "10",
        "70",
    )
    assert (harbour["practice"], harbour["practice_code"]) == ("=Harbour Practice", "01234")
    assert b'"\'=Harbour Practice"' in content


def test_a_lead_sees_their_own_practices_and_no_small_count(
    scene: dict[str, Any], north: Organisation, sign_in: SignIn
) -> None:
    by = lead(north)
    page = read(sign_in(by).get(reverse("cohort:area"), {"show": "all"}))
    assert "Harbour" not in page
    assert "South care system" not in page
    elm = page[page.index("Elm Surgery") : page.index("Oak Surgery")]
    assert "To review fewer than 5" in elm
    assert "Reviewed Not shown" in elm
    assert "70%" not in elm
    oak = page[page.index("Oak Surgery") :]
    assert "To review 20" in oak
    assert "Reviewed 50%" in oak
    assert set(names(lists(by))) == {"Elm", "Oak", "Ash"}
    for filtered in ({"ics": str(scene["Harbour"].practice.ics_id)}, {"run": str(scene["Harbour"].run_id)}):
        assert "Harbour" not in read(sign_in(by).get(reverse("cohort:area"), {"show": "all", **filtered}))


def test_pages_are_for_their_roles_alone(scene: dict[str, Any], north: Organisation, sign_in: SignIn) -> None:
    gp, centre, north_lead = MembershipFactory(), operator(), lead(north)
    for name, allowed in (
        ("cohort:oversight", centre),
        ("cohort:oversight_csv", centre),
        ("cohort:outliers", centre),
        ("cohort:area", north_lead),
        ("cohort:rates", gp),
    ):
        for by in (gp, centre, north_lead):
            assert sign_in(by).get(reverse(name)).status_code == (200 if by is allowed else 403), (name, by.role)
    assert not lists(gp).exists()


def test_an_empty_country_says_so(today: None, sign_in: SignIn, north: Organisation) -> None:
    assert "No practice has a list yet" in read(sign_in(operator()).get(reverse("cohort:oversight")))
    assert "No practice has a list yet" in read(sign_in(lead(north)).get(reverse("cohort:area")))


def test_more_practices_cost_no_more_queries(north: Organisation, today: None, sign_in: SignIn) -> None:
    gp, client = MembershipFactory(), sign_in(operator())

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(reverse("cohort:oversight"), {"sort": "left"}).status_code == 200
        return len(seen)

    put(practice_list(-1, ics=north), gp, to_review=2)
    client.get(reverse("cohort:oversight"))
    one = queries()
    for _ in range(30):
        put(practice_list(-1, ics=north), gp, to_review=1)
    assert queries() <= one + 5  # a link for each of the five newest searches

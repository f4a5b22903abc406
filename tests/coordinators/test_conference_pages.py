"""The pages of case conferences: a meeting from plan to close, what each side is shown, and conflicts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from coordinators.actions import conferences
from coordinators.conference_rules import ConferenceState
from coordinators.models import AgreedAction, Conference
from coordinators.rules import NeedKind
from shielding.accounts.models import Membership, Role
from shielding.audit.models import ReadLog
from tests.addresses import addresses_with
from tests.cohort.factories import NOW, MembershipFactory
from tests.coordinators.factories import Team
from tests.coordinators.meeting import Meeting, make_meeting, make_restricted, somebody

SignIn = Callable[[Membership], Any]
#: What only the practice may read.
CLINICAL = "On tacrolimus since 2014"


def at(name: str, *args: Any) -> str:
    return reverse(f"coordinators:{name}", args=args)


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    return " ".join(response.content.decode().split())


@pytest.fixture
def meeting(team: Team) -> Meeting:
    made = make_meeting(team=team)
    where: dict[str, Any] = {"conference_id": made.conference.pk, "item_id": made.item.pk, "at": NOW, "seen": 0}
    conferences.write_note(**where, text=CLINICAL, by=made.gp)
    conferences.write_note(**where, text="Bell is broken", by=made.council)
    return made


def pages_of(meeting: Meeting) -> list[str]:
    action = AgreedAction.objects.first() or meeting.agree()
    pk = meeting.conference.pk
    return [
        at("conferences"),
        at("agreed_actions"),
        f"{at('agreed_actions')}?show=theirs",
        at("agreed_action", action.pk),
        at("conference", pk),
        at("conference_person", pk, meeting.item.pk),
        at("conference_minutes", pk),
        at("conference_add", pk),
        at("conference_attendance", pk),
    ]


def test_a_meeting_from_plan_to_close(team: Team, sign_in: SignIn) -> None:
    gp = MembershipFactory(organisation=team.practice, role=Role.GP)
    client = sign_in(gp)
    today = timezone.localdate()
    day = {"date_day": today.day, "date_month": today.month, "date_year": today.year}
    planned = client.post(
        at("conference_plan"),
        {"token": uuid4(), "council": "E09000029", **day, "time": "2:30pm", "place": "Room 1"},
    )
    conference = Conference.objects.get()
    assert timezone.localtime(conference.starts_at).hour == 14
    assert planned["Location"] == at("conference_add", conference.pk)
    client.post(planned["Location"], {"name": "ami"})
    assert "Amina Khan" in text(client.get(planned["Location"]))
    client.post(planned["Location"], {"patient": [team.amina.pk, team.charlie.pk, "x"]})
    here = at("conference", conference.pk)
    page = text(client.get(here))
    assert "1 person added to the agenda." in page
    assert "1 person not added" in page
    client.post(here, {"do": "hold"})
    item, owner = conference.items.get(), conference.participants.get()
    due = today + timedelta(days=7)
    action = {"do": "agree", "token": uuid4(), "what": "Soup", "owner": owner.pk}
    due_parts = {"due_date_day": due.day, "due_date_month": due.month, "due_date_year": due.year}
    person = at("conference_person", conference.pk, item.pk)
    assert "Due date must be today or later" in text(client.post(person, {**action, **{
        name.replace("date_", "due_date_"): value - (name == "date_year") for name, value in day.items()
    }}))  # fmt: skip
    assert "Action added" in text(client.post(person, {**action, **due_parts}, follow=True))
    assert "still open" in text(client.post(here, {"do": "close"}, follow=True))
    agreed = AgreedAction.objects.get()
    client.post(at("agreed_action", agreed.pk), {"do": "progress", "token": uuid4(), "text": "Bought"})
    settled = {"do": "settle", "seen": 1, "state": "DONE", "outcome": "Delivered"}
    assert "Action closed" in text(client.post(at("agreed_action", agreed.pk), settled, follow=True))

    client.post(here, {"do": "close"})

    conference.refresh_from_db()
    assert conference.state == ConferenceState.CLOSED


def test_neither_side_is_shown_the_others_notes_and_the_council_nothing_clinical(
    meeting: Meeting, sign_in: SignIn
) -> None:
    shown = {}
    for name, by in (("practice", meeting.gp), ("council", meeting.council)):
        client = sign_in(by)
        shown[name] = " ".join(text(client.get(url)) for url in pages_of(meeting))

    number = meeting.amina.nhs_number
    assert "Amina Khan" in shown["council"]
    assert "Bell is broken" in shown["council"]
    for secret in (CLINICAL, number, f"{number[:3]} {number[3:6]} {number[6:]}"):
        assert secret not in shown["council"]
    assert CLINICAL in shown["practice"]
    assert "Bell is broken" not in shown["practice"]


def test_the_council_is_shown_nothing_of_a_record_that_became_restricted(meeting: Meeting, sign_in: SignIn) -> None:
    urls = pages_of(meeting)
    make_restricted(meeting.amina)
    client = sign_in(meeting.council)

    answers = {url: client.get(url) for url in urls}

    hidden = {at("agreed_action", AgreedAction.objects.get().pk), urls[5]}
    assert {url for url, answer in answers.items() if answer.status_code == 404} == hidden
    assert not any("Amina" in answer.content.decode() for answer in answers.values())
    assert not any("food parcel" in answer.content.decode() for answer in answers.values())


def test_how_to_make_contact_safely_goes_with_the_person(meeting: Meeting, sign_in: SignIn) -> None:
    urls = pages_of(meeting)
    for by in (meeting.gp, meeting.council):
        client = sign_in(by)
        for url in urls[3:7]:
            assert "Say it is the library." in text(client.get(url)), url


def test_every_look_at_a_person_is_logged(meeting: Meeting, sign_in: SignIn) -> None:
    urls = pages_of(meeting)
    client = sign_in(meeting.council)
    for url in urls[3:7]:
        before = ReadLog.objects.count()
        client.get(url)
        last = ReadLog.objects.order_by("-pk").first()
        assert ReadLog.objects.count() == before + 1, url
        assert last is not None
        assert last.patient_ids == [meeting.amina.pk]


def test_no_address_has_a_name_in_it(meeting: Meeting, sign_in: SignIn) -> None:
    client = sign_in(meeting.gp)
    for url in pages_of(meeting):
        assert not addresses_with(client.get(url), "amina", "khan", meeting.amina.nhs_number), url


@pytest.mark.parametrize("who", ["other_staff", "other_lead", "lead"])
def test_the_pages_of_a_meeting_are_nobody_elses(meeting: Meeting, sign_in: SignIn, who: str) -> None:
    urls = pages_of(meeting)
    client = sign_in(getattr(meeting.team, who))
    for url in urls[3:]:
        assert client.get(url).status_code == (404 if who == "other_staff" else 403), url


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"do": "needs", "needs": ["HOUSING"], "detail": "Mine"}, "It now says: Food; Theirs."),
        ({"do": "note", "text": "Mine"}, f"It now says: {CLINICAL}."),
    ],
)
def test_a_conflict_shows_theirs_keeps_what_was_typed_and_can_be_saved_again(
    meeting: Meeting, sign_in: SignIn, form: dict[str, Any], shown: str
) -> None:
    seen = meeting.item.version if form["do"] == "needs" else 0
    conferences.write_needs(
        conference_id=meeting.conference.pk, item_id=meeting.item.pk, needs=[NeedKind.FOOD], detail="Theirs",
        seen=meeting.item.version, by=meeting.council, at=NOW,
    )  # fmt: skip
    client, url = sign_in(meeting.gp), at("conference_person", meeting.conference.pk, meeting.item.pk)

    page = text(client.post(url, {**form, "seen": seen}), 409)

    assert shown in page
    assert ">Mine</textarea>" in page
    again = {**form, "seen": meeting.item.version + 1 if form["do"] == "needs" else 1}
    assert "saved" in text(client.post(url, again, follow=True))


@pytest.mark.parametrize("do", ["", "nonsense"])
def test_what_no_button_sends_is_not_there(meeting: Meeting, sign_in: SignIn, do: str) -> None:
    client = sign_in(meeting.gp)
    for url in [*pages_of(meeting)[3:6], at("conference_attendance", meeting.conference.pk)]:
        assert client.post(url, {"do": do}).status_code == 404, url


def test_a_full_agenda_takes_as_many_queries_as_a_short_one(
    meeting: Meeting, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    people = [somebody(meeting.team, f"Dora{letter}") for letter in "abcdefghij"]
    conferences.add_people(
        conference_id=meeting.conference.pk, patient_ids=[one.pk for one in people], by=meeting.gp, at=NOW
    )
    client = sign_in(meeting.gp)
    with django_assert_max_num_queries(16):
        assert "Doraj" in text(client.get(at("conference", meeting.conference.pk)))

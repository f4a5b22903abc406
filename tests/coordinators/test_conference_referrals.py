"""Needs that a case conference wrote down become referrals to the council, once, where that may be."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from coordinators import queries
from coordinators.actions import close, log_check_in
from coordinators.actions import conferences as conference_actions
from coordinators.actions.conference_referrals import NotToBeReferred, refer_needs
from coordinators.actions.conferences import Changed, ConferenceNotFound, NotNow
from coordinators.conference_rules import ConferenceState
from coordinators.models import Need, Referral
from coordinators.rules import CheckInOutcome, NeedKind
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import NOW
from tests.coordinators.meeting import Meeting, die, make_meeting, make_restricted, register_elsewhere

pytestmark = pytest.mark.django_db
FOOD, MONEY = NeedKind.FOOD, NeedKind.MONEY


def write(meeting: Meeting, *needs: NeedKind, detail: str = "No eggs") -> None:
    conference_actions.write_needs(
        conference_id=meeting.conference.pk,
        item_id=meeting.item.pk,
        needs=needs,
        detail=detail,
        seen=meeting.item.version,
        by=meeting.gp,
        at=NOW,
    )
    meeting.item.refresh_from_db()


def refer(meeting: Meeting, **changed: Any) -> list[Referral]:
    return refer_needs(
        **{
            "conference_id": meeting.conference.pk,
            "item_id": meeting.item.pk,
            "seen": meeting.item.version,
            "by": meeting.gp,
            "at": NOW,
            **changed,
        }
    )


def test_each_need_becomes_a_referral_to_the_council_of_their_postcode_once() -> None:
    meeting = make_meeting()
    write(meeting, FOOD, MONEY)
    made = refer(meeting)
    assert [(each.need.kind, each.need.detail, each.state) for each in made] == [
        ("FOOD", "No eggs", "WAITING"),
        ("MONEY", "No eggs", "WAITING"),
    ]
    assert {each.made_by for each in made} == {meeting.gp}
    [row, _] = queries.open_referrals(meeting.council)
    assert queries.for_council(row).given_name == meeting.amina.given_name
    assert refer(meeting) == []
    seen = meeting.seen_by(meeting.council)
    assert seen is not None
    assert (seen.referred, seen.to_refer) == ({FOOD: "WAITING", MONEY: "WAITING"}, [])
    write(meeting, FOOD, MONEY, NeedKind.HOUSING, detail="x" * 400)
    [third] = refer(meeting)
    assert (third.need.kind, third.need.detail) == ("HOUSING", "x" * 299 + "…")


def test_what_a_council_has_open_from_a_check_in_is_not_asked_twice() -> None:
    meeting = make_meeting()
    log_check_in(
        patient_id=meeting.amina.pk,
        outcome=CheckInOutcome.COMPLETED,
        is_safe_to_talk=True,
        note="",
        needs=[(FOOD, "")],
        by=meeting.team.lead,
        at=NOW,
    )
    write(meeting, FOOD, MONEY)
    assert [each.need.kind for each in refer(meeting)] == ["MONEY"]
    first = Referral.objects.get(need__kind="FOOD")
    Referral.objects.filter(pk=first.pk).update(state="ACCEPTED")
    close(referral_id=first.pk, what_was_done="Parcel", by=meeting.council, at=NOW)
    assert [each.need.kind for each in refer(meeting)] == ["FOOD"]
    # Their coordinator sees what came of both.
    kinds = [need.kind for need in queries.needs(queries.assignments(meeting.team.lead).get(patient=meeting.amina))]
    assert sorted(kinds) == ["FOOD", "FOOD", "MONEY"]


def test_who_may_not_refer_and_whom_one_may_not() -> None:
    meeting = make_meeting()
    write(meeting, FOOD)
    with pytest.raises(NotAllowed):
        refer(meeting, by=meeting.council)
    with pytest.raises(NotAllowed):
        refer(meeting, by=meeting.team.lead)
    with pytest.raises(Changed):
        refer(meeting, seen=meeting.item.version - 1)
    make_restricted(meeting.amina)
    with pytest.raises(NotToBeReferred):
        refer(meeting)
    meeting.amina.__class__.objects.update(is_restricted=False)
    die(meeting.amina)
    with pytest.raises(NotToBeReferred):
        refer(meeting)
    die(meeting.amina, "")
    register_elsewhere(meeting.amina, meeting.team)
    with pytest.raises(ConferenceNotFound):
        refer(meeting)
    assert not Need.objects.exists()


def test_a_conference_that_is_closed_refers_nobody() -> None:
    meeting = make_meeting(ConferenceState.CLOSED)
    with pytest.raises(NotNow):
        refer(meeting)


def page_of(meeting: Meeting, by: Any) -> tuple[Client, str]:
    client = Client()
    client.force_login(by.user)
    return client, reverse("coordinators:conference_person", args=[meeting.conference.pk, meeting.item.pk])


def test_the_page_offers_the_practice_to_refer_and_says_what_came_of_it() -> None:
    meeting = make_meeting()
    client, url = page_of(meeting, meeting.gp)
    assert "Refer to the council" not in client.get(url).content.decode()
    write(meeting, FOOD)
    assert "Refer to the council" in client.get(url).content.decode()
    council, _ = page_of(meeting, meeting.council)
    assert "Refer to the council" not in council.get(url).content.decode()
    for seen in ("", "x", "9" * 30, str(meeting.item.version - 1)):
        said = client.post(url, {"do": "refer", "seen": seen}, follow=True).content.decode()
        assert "the needs have changed since you opened this page" in said
    said = client.post(url, {"do": "refer", "seen": str(meeting.item.version)}, follow=True).content.decode()
    assert "Referred to the council." in said
    assert "Food: waiting for the council" in said
    again = client.post(url, {"do": "refer", "seen": str(meeting.item.version)}, follow=True).content.decode()
    assert "Nothing new" in again
    assert "Food: waiting for the council" in council.get(url).content.decode()
    assert council.post(url, {"do": "refer", "seen": str(meeting.item.version)}).status_code == 403
    assert Referral.objects.count() == 1

"""Case conferences on PostgreSQL: planning, the agenda, notes, attendance, and their ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from coordinators.actions import conferences
from coordinators.actions.conferences import (
    ActionsLeft,
    Changed,
    ConferenceNotFound,
    NotACouncil,
    NotNow,
    OwnsActions,
    TooEarly,
)
from coordinators.conference_rules import AgendaReason, ConferenceState, Side
from coordinators.models import AgendaItem, Conference, Participant
from coordinators.queries import conferences as queries
from coordinators.queries import suggestions
from coordinators.rules import NeedKind
from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import NOW, MembershipFactory, OrganisationFactory
from tests.coordinators.factories import CheckInFactory, Team, refer
from tests.coordinators.meeting import (
    TODAY,
    Meeting,
    die,
    leave_list,
    make_meeting,
    make_restricted,
    move_to,
    register_elsewhere,
    somebody,
)

SEEN = 99


@pytest.fixture
def meeting(team: Team) -> Meeting:
    return make_meeting(team=team)


@pytest.fixture
def planned(team: Team) -> Meeting:
    return make_meeting(ConferenceState.PLANNED, team)


def gp_of(team: Team) -> Membership:
    return MembershipFactory(organisation=team.practice, role=Role.GP)


def plan(by: Membership, council: str = "E09000029", **fields: Any) -> Conference:
    return conferences.plan(
        **{
            "conference_id": uuid4(),
            "local_authority_id": council,
            "starts_at": NOW,
            "place": "Room 1",
            "by": by,
            "at": NOW,
            **fields,
        }
    )


def test_a_practice_plans_a_conference_and_takes_part(team: Team) -> None:
    gp = gp_of(team)

    conference = plan(gp)

    assert conference.state == ConferenceState.PLANNED
    assert [person.membership for person in conference.participants.all()] == [gp]
    assert [queries.conference_for(by, conference.pk) for by in (gp, team.staff)] == [conference, conference]


def test_the_form_sent_twice_plans_once(team: Team) -> None:
    gp, token = gp_of(team), uuid4()

    assert plan(gp, conference_id=token) == plan(gp, conference_id=token)
    assert Conference.objects.count() == 1
    with pytest.raises(ConferenceNotFound):
        plan(gp_of(Team(**{**team.__dict__, "practice": team.charlie.practice})), conference_id=token)


@pytest.mark.parametrize("council", ["E06000043", "E09999999"])
def test_a_conference_is_with_a_council_of_the_practices_people(team: Team, council: str) -> None:
    with pytest.raises(NotACouncil):
        plan(gp_of(team), council)


def test_councils_are_those_whose_areas_listed_people_live_in(team: Team) -> None:
    for name, postcode in (("Dora", "BN1 1AA"), ("Eve", "BN11AA"), ("Flo", "ZZ1 1ZZ")):
        somebody(team, name, postcode=postcode)

    found = suggestions.councils_for(gp_of(team), TODAY)

    assert [(area.name, people) for area, people in found] == [("Brighton and Hove", 2), ("Sutton", 1)]


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.LA_STAFF, Role.CENTRAL_OPERATOR])
def test_only_the_practice_plans(team: Team, role: Role) -> None:
    by = team.staff if role == Role.LA_STAFF else MembershipFactory(organisation=team.practice, role=role)
    with pytest.raises(NotAllowed):
        plan(by)


def test_a_planned_conference_is_moved(planned: Meeting) -> None:
    later, version = NOW + timedelta(days=7), planned.conference.version

    conferences.change(
        conference_id=planned.conference.pk, starts_at=later, place=" Room 2 ", seen=version, by=planned.gp
    )

    planned.conference.refresh_from_db()
    assert (planned.conference.starts_at, planned.conference.place) == (later, "Room 2")
    with pytest.raises(Changed):
        conferences.change(
            conference_id=planned.conference.pk, starts_at=NOW, place="Room 3", seen=version, by=planned.gp
        )


def test_a_conference_is_not_held_before_its_day(planned: Meeting) -> None:
    with pytest.raises(TooEarly):
        conferences.hold(conference_id=planned.conference.pk, by=planned.gp, at=NOW - timedelta(days=1))


#: What is done in which state; what is not listed is refused.
MAY = {
    "change": {"PLANNED"},
    "hold": {"PLANNED", "HELD"},
    "cancel": {"PLANNED", "CANCELLED"},
    "close": {"HELD", "CLOSED"},
    "add_people": {"PLANNED", "HELD"},
    "take_off": {"PLANNED", "HELD"},
    "write_needs": {"PLANNED", "HELD"},
    "write_note": {"PLANNED", "HELD"},
    "invite": {"PLANNED", "HELD"},
    "invite_by_name": {"PLANNED", "HELD"},
    "uninvite": {"PLANNED", "HELD"},
    "take_attendance": {"HELD"},
    "agree": {"HELD"},
}


def do(name: str, meeting: Meeting, by: Membership | None = None) -> Any:
    """Does it as it is done from a page opened this moment."""
    by, conference, item = by or meeting.gp, meeting.conference, meeting.item
    item.refresh_from_db()
    conference.refresh_from_db()
    where: dict[str, Any] = {"conference_id": conference.pk, "by": by}
    person: dict[str, Any] = {**where, "item_id": item.pk, "at": NOW}
    steps: dict[str, Callable[[], Any]] = {
        "change": lambda: conferences.change(**where, starts_at=NOW, place="Here", seen=conference.version),
        "hold": lambda: conferences.hold(**where, at=NOW),
        "cancel": lambda: conferences.cancel(**where, reason="Nobody is free", at=NOW),
        "close": lambda: conferences.close(**where, at=NOW),
        "add_people": lambda: conferences.add_people(**where, patient_ids=[], at=NOW),
        "take_off": lambda: conferences.take_off(**person),
        "write_needs": lambda: conferences.write_needs(**person, needs=[NeedKind.FOOD], detail="", seen=item.version),
        "write_note": lambda: conferences.write_note(**person, text="Frail", seen=0),
        "invite": lambda: conferences.invite(**where, membership_id=meeting.team.lead.pk),
        "invite_by_name": lambda: conferences.invite_by_name(**where, side=Side.COUNCIL, name="Jo", job=""),
        "uninvite": lambda: conferences.uninvite(**where, participant_id=meeting.council_takes_part.pk),
        "take_attendance": lambda: conferences.take_attendance(**where, came=[], seen=conference.version),
        "agree": lambda: meeting.agree(by=by),
    }
    return steps[name]()


@pytest.mark.parametrize("state", ConferenceState)
@pytest.mark.parametrize("name", MAY)
def test_what_may_be_done_in_each_state(team: Team, name: str, state: ConferenceState) -> None:
    meeting = make_meeting(state, team)
    if state in MAY[name]:
        do(name, meeting)
    else:
        with pytest.raises(NotNow) as error:
            do(name, meeting)
        assert error.value.state is state


@pytest.mark.parametrize("name", MAY)
def test_who_may_do_what(team: Team, name: str) -> None:
    """The practice calls, both sides write, nobody else reaches it, and a role without the permission is refused."""
    is_the_practices = name in {"change", "hold", "cancel", "close"}
    state = ConferenceState.PLANNED if "PLANNED" in MAY[name] else ConferenceState.HELD
    meeting = make_meeting(state, team)
    other_gp = MembershipFactory(organisation=team.charlie.practice, role=Role.GP)
    nobody = MembershipFactory(organisation=OrganisationFactory(kind="HOSPITAL"), role=Role.GP)

    with pytest.raises(ConferenceNotFound):
        do(name, meeting, other_gp)
    with pytest.raises(NotAllowed if is_the_practices else ConferenceNotFound):
        do(name, meeting, team.other_staff)
    for by in (team.lead, nobody):
        with pytest.raises(NotAllowed):
            do(name, meeting, by)
    if is_the_practices:
        with pytest.raises(NotAllowed):
            do(name, meeting, meeting.council)
    else:
        do(name, meeting, meeting.council)


@pytest.mark.parametrize("name", ["hold", "close", "cancel"])
def test_the_same_end_again_changes_nothing(team: Team, name: str) -> None:
    meeting = make_meeting(ConferenceState.HELD if name == "close" else ConferenceState.PLANNED, team)
    do(name, meeting)
    before = Conference.objects.values().get()

    do(name, meeting)

    assert Conference.objects.values().get() == before


@pytest.mark.parametrize("state", ["PLANNED", "HELD", "CANCELLED"])
def test_the_database_refuses_other_moves(team: Team, state: str) -> None:
    meeting = make_meeting(ConferenceState.CLOSED, team)
    with pytest.raises(InternalError), transaction.atomic():
        Conference.objects.filter(pk=meeting.conference.pk).update(state=state)


def test_a_conference_with_an_open_action_is_not_closed(meeting: Meeting) -> None:
    meeting.agree()

    with pytest.raises(ActionsLeft):
        do("close", meeting)
    with pytest.raises(IntegrityError), transaction.atomic():
        Conference.objects.filter(pk=meeting.conference.pk).update(state="CLOSED", ended_at=NOW, ended_by=meeting.gp)


def test_cancelling_takes_a_reason(planned: Meeting) -> None:
    with pytest.raises(ValueError, match="why"):
        conferences.cancel(conference_id=planned.conference.pk, reason=" ", by=planned.gp, at=NOW)


# Who is suggested


def names(found: list[suggestions.Candidate]) -> list[str]:
    return [person.name.split()[0] for person in found]


def test_people_with_reasons_are_suggested_those_with_most_first(planned: Meeting) -> None:
    team = planned.team
    somebody(team, "Nothing")
    somebody(team, "Old", birth_date=TODAY.replace(year=1935))
    somebody(team, "Older", birth_date=TODAY.replace(year=1930))
    waits = somebody(team, "Waits", mobile="")
    refer(waits, team.staff, team.lead)
    unheard = somebody(team, "Unheard", birth_date=TODAY.replace(year=1960))
    for days in range(3):
        CheckInFactory(patient=unheard, by=team.lead, outcome="NO_ANSWER", at=NOW - timedelta(days=days))

    found = suggestions.candidates(planned.gp, planned.conference, TODAY)

    assert names(found) == ["Waits", "Older", "Old", "Unheard"]
    assert found[0].reasons == [AgendaReason.OPEN_NEED, AgendaReason.NO_PHONE]


@pytest.mark.parametrize(
    "gone",
    [
        die,
        leave_list,
        make_restricted,
        lambda patient: move_to(patient, "BN1 1AA"),
        lambda patient: move_to(patient, ""),
        lambda patient: move_to(patient, "ZZ1 1ZZ"),
    ],
    ids=["died", "off the list", "restricted", "another area", "no postcode", "unknown postcode"],
)
def test_who_may_not_be_discussed_is_neither_found_nor_added(planned: Meeting, gone: Callable[[Any], None]) -> None:
    patient = somebody(planned.team, "Gone", mobile="")
    where: dict[str, Any] = {"by": planned.gp, "conference": planned.conference, "on": TODAY}
    assert names(suggestions.candidates(**where, name="gone")) == ["Gone"]

    gone(patient)

    assert not suggestions.candidates(**where)
    assert not suggestions.candidates(**where, name="gone")
    assert not conferences.add_people(
        conference_id=planned.conference.pk, patient_ids=[patient.pk], by=planned.gp, at=NOW
    )


def test_nobody_of_another_practice_is_added(planned: Meeting) -> None:
    charlie = planned.team.charlie
    move_to(charlie, "SM1 1AA")

    assert not conferences.add_people(
        conference_id=planned.conference.pk, patient_ids=[charlie.pk, uuid4()], by=planned.gp, at=NOW
    )


def test_a_council_finds_and_adds_whom_it_was_asked_to_help_only(planned: Meeting) -> None:
    team = planned.team
    known = somebody(team, "Known")
    unknown = somebody(team, "Unknown", mobile="", landline="")
    refer(known, team.staff, team.lead)

    found = suggestions.candidates(team.staff, planned.conference, TODAY, name="")

    assert names(found) == ["Known"]
    added = conferences.add_people(
        conference_id=planned.conference.pk, patient_ids=[known.pk, unknown.pk], by=team.staff, at=NOW
    )
    assert [item.patient for item in added] == [known]


def test_somebody_taken_off_and_put_on_again_is_the_same_item_with_its_notes(planned: Meeting) -> None:
    do("write_note", planned)
    do("take_off", planned)
    assert queries.agenda(planned.gp, planned.conference, TODAY) == []

    [again] = conferences.add_people(
        conference_id=planned.conference.pk, patient_ids=[planned.amina.pk], by=planned.gp, at=NOW
    )

    assert again == planned.item
    assert [person.note for person in queries.agenda(planned.gp, planned.conference, TODAY)] == ["Frail"]


def test_somebody_about_whom_something_was_agreed_stays(meeting: Meeting) -> None:
    meeting.agree()
    with pytest.raises(ActionsLeft):
        do("take_off", meeting)


# What is written down


def test_both_sides_write_needs_and_the_second_sees_the_first(meeting: Meeting) -> None:
    seen = meeting.item.version
    where: dict[str, Any] = {"conference_id": meeting.conference.pk, "item_id": meeting.item.pk, "at": NOW}
    written = conferences.write_needs(
        **where, needs=[NeedKind.TRANSPORT, NeedKind.FOOD], detail=" Lives alone ", seen=seen, by=meeting.gp
    )
    assert (written.needs, written.needs_detail) == (["FOOD", "TRANSPORT"], "Lives alone")

    with pytest.raises(Changed):
        conferences.write_needs(**where, needs=[], detail="", seen=seen, by=meeting.council)

    # The same words are no conflict, whatever was seen.
    conferences.write_needs(
        **where, needs=[NeedKind.FOOD, NeedKind.TRANSPORT], detail="Lives alone", seen=SEEN, by=meeting.council
    )
    assert AgendaItem.objects.get(pk=meeting.item.pk).version == written.version


def test_each_side_has_its_own_note_and_they_do_not_get_in_each_others_way(meeting: Meeting) -> None:
    where: dict[str, Any] = {"conference_id": meeting.conference.pk, "item_id": meeting.item.pk, "at": NOW}
    conferences.write_note(**where, text="On tacrolimus", seen=0, by=meeting.gp)
    conferences.write_note(**where, text="Flat 3, bell broken", seen=0, by=meeting.council)

    sides = [meeting.seen_by(by) for by in (meeting.gp, meeting.council)]

    assert [(side.note, side.note_version) for side in sides if side] == [
        ("On tacrolimus", 1),
        ("Flat 3, bell broken", 1),
    ]
    with pytest.raises(Changed):
        conferences.write_note(**where, text="Something else", seen=0, by=meeting.gp)


@pytest.mark.parametrize("name", ["write_needs", "write_note", "take_off", "agree"])
@pytest.mark.parametrize(
    ("change", "by"),
    [
        (make_restricted, "council"),
        (lambda patient: move_to(patient, "BN1 1AA"), "council"),
    ],
    ids=["restricted", "moved away"],
)
def test_a_side_writes_nothing_about_whom_it_does_not_see(
    meeting: Meeting, name: str, change: Callable[[Any], None], by: str
) -> None:
    change(meeting.amina)
    with pytest.raises(ConferenceNotFound):
        do(name, meeting, getattr(meeting, by))


def test_a_practice_writes_nothing_about_who_has_left_it_but_may_take_them_off(meeting: Meeting) -> None:
    register_elsewhere(meeting.amina, meeting.team)
    for name in ("write_needs", "write_note", "agree"):
        with pytest.raises(ConferenceNotFound):
            do(name, meeting)

    do("take_off", meeting)

    assert queries.agenda(meeting.gp, meeting.conference, TODAY) == []


# Who takes part


def test_people_of_both_sides_and_others_take_part(planned: Meeting) -> None:
    where: dict[str, Any] = {"conference_id": planned.conference.pk, "by": planned.council}
    named = conferences.invite(**where, membership_id=planned.team.lead.pk)
    typed = conferences.invite_by_name(**where, side=Side.COUNCIL, name=" Jo Field ", job="Red Cross")

    assert (named.side, str(named)) == (Side.PRACTICE, "Nia Rees, Care coordinator")
    assert (typed.side, str(typed), typed.membership) == (Side.COUNCIL, "Jo Field, Red Cross", None)
    assert conferences.invite(**where, membership_id=planned.team.lead.pk) == named
    assert conferences.invite_by_name(**where, side=Side.COUNCIL, name="Jo Field", job="Red Cross ") == typed
    assert Participant.objects.count() == 4


@pytest.mark.parametrize("who", ["other_lead", "other_staff"])
def test_nobody_of_another_organisation_is_invited(planned: Meeting, who: str) -> None:
    with pytest.raises(ConferenceNotFound):
        conferences.invite(
            conference_id=planned.conference.pk, membership_id=getattr(planned.team, who).pk, by=planned.gp
        )


def test_attendance_says_who_came_and_who_did_not(meeting: Meeting) -> None:
    where: dict[str, Any] = {"conference_id": meeting.conference.pk, "by": meeting.council}
    version = meeting.conference.version
    conferences.take_attendance(**where, came=[meeting.gp_takes_part.pk], seen=version)

    came = dict(meeting.conference.participants.values_list("name", "came"))
    assert came == {"Dr Grace Okafor": True, "Leah Council": False}
    with pytest.raises(Changed):
        conferences.take_attendance(**where, came=[], seen=version)


def test_somebody_invited_since_is_not_put_down_as_absent_unseen(meeting: Meeting) -> None:
    version = meeting.conference.version
    conferences.invite_by_name(
        conference_id=meeting.conference.pk, side=Side.COUNCIL, name="Jo", job="", by=meeting.council
    )
    with pytest.raises(Changed):
        conferences.take_attendance(conference_id=meeting.conference.pk, came=[], seen=version, by=meeting.gp)


def test_a_participant_who_owns_an_action_stays(meeting: Meeting) -> None:
    meeting.agree()
    with pytest.raises(OwnsActions):
        do("uninvite", meeting)

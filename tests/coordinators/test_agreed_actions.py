"""What is agreed at a case conference, on PostgreSQL: by whom, for whom, and that nothing is left behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from coordinators.actions import agreed_actions, conferences
from coordinators.actions.agreed_actions import (
    ActionNotFound,
    AlreadySettled,
    FormUsedBefore,
    NotYours,
    OwnerCannotSeeThem,
)
from coordinators.actions.conferences import Changed, ConferenceNotFound
from coordinators.conference_rules import ActionState
from coordinators.models import ActionProgress, AgreedAction, Participant
from coordinators.queries import conferences as queries
from shielding.accounts.models import Membership
from tests.cohort.factories import NOW
from tests.coordinators.factories import Team
from tests.coordinators.meeting import (
    TODAY,
    TOMORROW,
    YESTERDAY,
    Meeting,
    die,
    leave_list,
    make_meeting,
    make_restricted,
    move_to,
    register_elsewhere,
)


@pytest.fixture
def meeting(team: Team) -> Meeting:
    return make_meeting(team=team)


def settle(action: AgreedAction, by: Membership, **fields: Any) -> AgreedAction:
    return agreed_actions.settle(
        **{
            "action_id": action.pk,
            "state": ActionState.DONE,
            "outcome": "Delivered",
            "seen": action.version,
            "by": by,
            "at": NOW,
            **fields,
        }
    )


def give(action: AgreedAction, to: Participant, by: Membership, **fields: Any) -> AgreedAction:
    return agreed_actions.give(
        **{
            "action_id": action.pk,
            "owner_id": to.pk,
            "due_date": action.due_date,
            "seen": action.version,
            "by": by,
            "at": NOW,
            **fields,
        }
    )


def to_decide(by: Membership) -> list[str]:
    rows = queries.open_actions(by, TODAY)
    return [action.what for _, action in rows if action.is_left_over and action.may_settle]


def test_an_action_is_agreed_reported_on_and_closed(meeting: Meeting) -> None:
    action = meeting.agree()
    where: dict[str, Any] = {"action_id": action.pk, "by": meeting.council, "at": NOW}

    agreed_actions.report(**where, progress_id=uuid4(), text=" Ordered ")
    settle(action, meeting.council, outcome=" Delivered ")

    action.refresh_from_db()
    assert (action.state, action.outcome, action.settled_at, action.settled_by) == (
        "DONE",
        "Delivered",
        NOW,
        meeting.council,
    )
    assert [entry.text for entry in ActionProgress.objects.all()] == ["Ordered"]
    with pytest.raises(AlreadySettled):
        agreed_actions.report(**where, progress_id=uuid4(), text="More")
    conferences.close(conference_id=meeting.conference.pk, by=meeting.gp, at=NOW)


def test_forms_sent_twice_count_once(meeting: Meeting) -> None:
    token, entry = uuid4(), uuid4()
    action = meeting.agree(action_id=token)
    again = meeting.agree(action_id=token)
    for _ in range(2):
        agreed_actions.report(progress_id=entry, action_id=action.pk, text="Ordered", by=meeting.gp, at=NOW)
    for _ in range(2):
        settle(action, meeting.council)

    assert again == action
    assert (AgreedAction.objects.count(), ActionProgress.objects.count()) == (1, 1)
    with pytest.raises(FormUsedBefore):
        meeting.agree(action_id=token, by=meeting.council)


@pytest.mark.parametrize("fields", [{"what": "  "}, {"due_date": YESTERDAY}])
def test_an_action_takes_words_and_a_day_to_come(meeting: Meeting, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        meeting.agree(**fields)


def test_the_owner_takes_part_in_this_conference(meeting: Meeting) -> None:
    elsewhere = make_meeting(team=meeting.team).gp_takes_part
    with pytest.raises(ConferenceNotFound):
        meeting.agree(elsewhere)
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreedAction.objects.create(
            item=meeting.item, what="Soup", owner=elsewhere, due_date=TOMORROW, state="OPEN", agreed_at=NOW,
            agreed_by=meeting.gp,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "by", "may"), [("gp", "gp", True), ("gp", "council", False), ("council", "gp", False),
                             ("council", "council", True)],
)  # fmt: skip
def test_the_owners_side_closes_an_action_or_gives_it_away(meeting: Meeting, owner: str, by: str, may: bool) -> None:
    action = meeting.agree(getattr(meeting, f"{owner}_takes_part"))
    other = meeting.gp_takes_part if owner == "council" else meeting.council_takes_part
    if may:
        settle(give(action, other, getattr(meeting, by)), getattr(meeting, "gp" if owner == "council" else "council"))
    else:
        for step in (lambda: settle(action, getattr(meeting, by)), lambda: give(action, other, getattr(meeting, by))):
            with pytest.raises(NotYours):
                step()


def test_nothing_is_given_or_closed_by_what_was_not_seen(meeting: Meeting) -> None:
    action = meeting.agree()
    give(action, meeting.council_takes_part, meeting.council, due_date=TOMORROW + timedelta(days=1))

    with pytest.raises(Changed):
        settle(action, meeting.council)
    with pytest.raises(Changed):
        give(action, meeting.gp_takes_part, meeting.council)


@pytest.mark.parametrize("name", ["settle", "give", "report"])
def test_another_practices_or_councils_action_is_not_there(meeting: Meeting, name: str) -> None:
    action = meeting.agree()
    steps: dict[str, Callable[[], Any]] = {
        "settle": lambda: settle(action, meeting.team.other_staff),
        "give": lambda: give(action, meeting.gp_takes_part, meeting.team.other_staff),
        "report": lambda: agreed_actions.report(
            progress_id=uuid4(), action_id=action.pk, text="x", by=meeting.team.other_staff, at=NOW
        ),
    }
    with pytest.raises(ActionNotFound):
        steps[name]()


def test_the_database_keeps_settled_actions_and_progress(meeting: Meeting) -> None:
    action = settle(meeting.agree(), meeting.council)
    entry = ActionProgress.objects.create(action=action, at=NOW, by=meeting.gp, text="x")
    for change in (
        lambda: AgreedAction.objects.filter(pk=action.pk).update(
            state="OPEN", outcome="", settled_at=None, settled_by=None
        ),
        lambda: ActionProgress.objects.filter(pk=entry.pk).update(text="y"),
    ):
        with pytest.raises(InternalError), transaction.atomic():
            change()


#: What happens to the person, and who must then decide about an open action of the council, of the practice.
LEFT_OVER: list[tuple[str, Callable[[Meeting], Any], list[str], list[str]]] = [
    ("nothing", lambda m: None, [], []),
    ("died", lambda m: die(m.amina), ["council"], ["gp"]),
    ("reported dead", lambda m: die(m.amina, "INFORMAL"), ["council"], ["gp"]),
    ("left the practice", lambda m: register_elsewhere(m.amina, m.team), ["council"], ["gp"]),
    ("restricted", lambda m: make_restricted(m.amina), ["gp"], ["gp"]),
    ("moved", lambda m: move_to(m.amina, "BN1 1AA"), ["gp"], ["gp"]),
    ("off the list", lambda m: leave_list(m.amina), ["council"], ["gp"]),
    (
        "gone altogether",
        lambda m: (move_to(m.amina, "BN1 1AA"), register_elsewhere(m.amina, m.team)),
        ["gp"],
        ["gp"],
    ),
]


@pytest.mark.parametrize(
    ("happens", "of_council", "of_practice"), [row[1:] for row in LEFT_OVER], ids=[row[0] for row in LEFT_OVER]
)
@pytest.mark.parametrize("owner", ["council", "gp"])
def test_no_action_dangles_whatever_happens_to_the_person(
    meeting: Meeting, happens: Callable[[Meeting], Any], of_council: list[str], of_practice: list[str], owner: str
) -> None:
    action = meeting.agree(getattr(meeting, f"{owner}_takes_part"))
    happens(meeting)

    deciding = [side for side in ("council", "gp") if to_decide(getattr(meeting, side))]

    assert deciding == (of_council if owner == "council" else of_practice)
    for side in deciding:
        settle(action, getattr(meeting, side), state=ActionState.NOT_DONE, outcome="No longer needed")
        conferences.close(conference_id=meeting.conference.pk, by=meeting.gp, at=NOW)


@pytest.mark.parametrize("how", ["ended", "inactive"])
def test_an_owner_who_left_is_shown_and_replaced(meeting: Meeting, how: str) -> None:
    action = meeting.agree()
    member = meeting.council_takes_part.membership
    assert member
    if how == "ended":
        Membership.objects.filter(pk=member.pk).update(ended_at=NOW)
    else:
        member.user.is_active = False
        member.user.save()
    assert to_decide(meeting.council) == ["Weekly food parcel"]

    give(action, meeting.gp_takes_part, meeting.council)

    assert not to_decide(meeting.council)


@pytest.mark.parametrize("change", [make_restricted, lambda patient: move_to(patient, "BN1 1AA")])
def test_nothing_is_agreed_for_a_council_that_does_not_see_the_person(
    meeting: Meeting, change: Callable[[Any], None]
) -> None:
    action = meeting.agree(meeting.gp_takes_part)
    change(meeting.amina)
    with pytest.raises(OwnerCannotSeeThem):
        meeting.agree(meeting.council_takes_part)
    with pytest.raises(OwnerCannotSeeThem):
        give(action, meeting.council_takes_part, meeting.gp)
    assert queries.open_actions(meeting.council, TODAY) == []
    assert queries.action_for(meeting.council, action.pk, TODAY) is None


def test_what_is_due_longest_ago_comes_first_and_is_overdue_the_day_after(meeting: Meeting) -> None:
    for days, what in ((2, "Later"), (1, "Tomorrow"), (0, "Today")):
        meeting.agree(what=what, due_date=TODAY + timedelta(days=days))

    for by in (meeting.gp, meeting.council):
        rows = queries.open_actions(by, TOMORROW)
        assert [(action.what, action.is_overdue) for _, action in rows] == [
            ("Today", True),
            ("Tomorrow", False),
            ("Later", False),
        ]


#: What each side is shown of Amina, as she stands today: a name, an NHS number, where she lives, a phone.
SEEN: list[tuple[str, Callable[[Meeting], Any], tuple[bool, ...], tuple[bool, ...] | None]] = [
    ("nothing", lambda m: None, (True, True, True, True), (True, False, True, True)),
    ("died", lambda m: die(m.amina), (True, True, False, False), (True, False, False, False)),
    ("left", lambda m: register_elsewhere(m.amina, m.team), (False,) * 4, (True, False, True, True)),
    ("restricted", lambda m: make_restricted(m.amina), (True, True, False, True), None),
    ("moved", lambda m: move_to(m.amina, "BN1 1AA"), (True, True, True, True), None),
    ("no postcode", lambda m: move_to(m.amina, ""), (True, True, True, True), None),
    ("off the list", lambda m: leave_list(m.amina), (True, True, True, True), (True, False, True, True)),
    (
        "closed",
        lambda m: conferences.close(conference_id=m.conference.pk, by=m.gp, at=NOW),
        (True, True, True, True),
        (True, False, False, False),
    ),
]


@pytest.mark.parametrize(("happens", "practice", "council"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_who_sees_what(
    meeting: Meeting, happens: Callable[[Meeting], Any], practice: tuple[bool, ...], council: tuple[bool, ...] | None
) -> None:
    happens(meeting)
    meeting.conference.refresh_from_db()

    def seen(by: Membership) -> tuple[bool, ...] | None:
        one = meeting.seen_by(by)
        if one is None:
            assert queries.agenda(by, meeting.conference, TODAY) == []
            return None
        # How to make contact safely goes with whoever is named.
        assert bool(one.safe_contact) is bool(one.name)
        return (bool(one.name), bool(one.nhs_number), bool(one.address_lines), bool(one.mobile))

    assert (seen(meeting.gp), seen(meeting.council)) == (practice, council)

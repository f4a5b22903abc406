"""Two people at one case conference at once, on real PostgreSQL: nothing is overwritten unseen or left open."""

from typing import Any

import pytest

from coordinators.actions import conferences
from coordinators.actions.conferences import ActionsLeft, Changed, NotNow
from coordinators.models import AgreedAction, Conference
from coordinators.rules import NeedKind
from tests.cohort.factories import NOW
from tests.cohort.validation.test_races import at_once
from tests.coordinators.meeting import Meeting, make_meeting, somebody

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meeting(transactional_db: None) -> Meeting:
    return make_meeting()


@pytest.mark.parametrize("_again", range(3))
def test_of_two_who_write_needs_at_once_one_wins_and_the_other_is_told(meeting: Meeting, _again: int) -> None:
    where: dict[str, Any] = {
        "conference_id": meeting.conference.pk, "item_id": meeting.item.pk, "at": NOW, "seen": meeting.item.version,
    }  # fmt: skip
    results = at_once(
        lambda: conferences.write_needs(**where, needs=[NeedKind.FOOD], detail="", by=meeting.gp),
        lambda: conferences.write_needs(**where, needs=[NeedKind.HOUSING], detail="", by=meeting.council),
    )
    (lost,) = [result for result in results if isinstance(result, Exception)]
    (won,) = [result for result in results if not isinstance(result, Exception)]

    assert isinstance(lost, Changed)
    meeting.item.refresh_from_db()
    assert meeting.item.needs == won.needs


@pytest.mark.parametrize("_again", range(3))
def test_agreeing_and_closing_at_once_leave_no_open_action_behind(meeting: Meeting, _again: int) -> None:
    agreed, closed = at_once(
        lambda: meeting.agree(by=meeting.council),
        lambda: conferences.close(conference_id=meeting.conference.pk, by=meeting.gp, at=NOW),
    )
    state = Conference.objects.get(pk=meeting.conference.pk).state
    if isinstance(closed, Exception):
        assert isinstance(closed, ActionsLeft)
        assert (state, AgreedAction.objects.count()) == ("HELD", 1)
    else:
        assert isinstance(agreed, NotNow)
        assert (state, AgreedAction.objects.count()) == ("CLOSED", 0)


def test_both_sides_add_the_same_person_at_once_and_they_are_there_once(meeting: Meeting) -> None:
    person = somebody(meeting.team, "Dora")
    results = at_once(
        *[
            lambda: conferences.add_people(
                conference_id=meeting.conference.pk, patient_ids=[person.pk], by=meeting.gp, at=NOW
            )
        ]
        * 2
    )
    assert sorted(len(added) for added in results) == [0, 1]

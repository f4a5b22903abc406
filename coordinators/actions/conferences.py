"""Case conferences: planning, the agenda, who comes, what each side writes down, and ending them.

Every write takes the conference's lock first, so that agreeing and closing follow one another. What people
change has a version: `seen` is the one they were shown, and `Changed` is raised where it is no longer so.
What is agreed there is in `coordinators.actions.agreed_actions`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from coordinators import policies
from coordinators.conference_rules import OPEN_CONFERENCES, ActionState, ConferenceState, Side, may_become
from coordinators.models import AgendaItem, AgreedAction, Conference, ConferenceNote, Participant
from coordinators.queries import conferences as queries
from coordinators.queries import suggestions
from coordinators.rules import NeedKind
from shielding.accounts.models import Membership


class ConferenceNotFound(Exception):
    """This side has no such conference, person or participant."""


class Changed(Exception):
    """Somebody else has changed it since it was shown."""


class NotNow(Exception):
    """The conference is in a state in which this cannot be done; `state` says which."""

    def __init__(self, state: ConferenceState) -> None:
        super().__init__(state)
        self.state = state


class TooEarly(Exception):
    """The day of the meeting has not come."""


class NotACouncil(Exception):
    """No council of that area uses this service, or nobody on the practice's list lives there."""


class ActionsLeft(Exception):
    """Actions that were agreed stand in the way: open ones of closing, any of taking somebody off the agenda."""


class OwnsActions(Exception):
    """A participant who owns an action stays."""


@transaction.atomic
def plan(
    *, conference_id: UUID, local_authority_id: str, starts_at: datetime, place: str, by: Membership, at: datetime
) -> Conference:
    """Plans a conference of `by`'s practice with a council, who takes part in it, and returns it.

    `conference_id` is the form's token: sent twice, the conference of the first time is returned.
    Raises NotAllowed, NotACouncil, ConferenceNotFound where the token is another practice's.
    """
    policies.check_can_call_conferences(by)
    if earlier := Conference.objects.filter(pk=conference_id).first():
        if earlier.practice_id != by.organisation_id:
            raise ConferenceNotFound
        return earlier
    if local_authority_id not in {area.pk for area, _ in suggestions.councils_for(by, timezone.localdate(at))}:
        raise NotACouncil
    conference = Conference.objects.create(
        id=conference_id,
        practice_id=by.organisation_id,
        local_authority_id=local_authority_id,
        starts_at=starts_at,
        place=place.strip(),
        state=ConferenceState.PLANNED,
        planned_at=at,
        planned_by=by,
    )
    _add_member(conference, by)
    return conference


@transaction.atomic
def change(*, conference_id: UUID, starts_at: datetime, place: str, seen: int, by: Membership) -> Conference:
    """Moves a planned conference to another time or place. Raises NotAllowed, ConferenceNotFound, NotNow, Changed."""
    policies.check_can_call_conferences(by)
    conference = lock(conference_id, by, {ConferenceState.PLANNED})
    check_seen(conference.version, seen)
    conference.starts_at, conference.place = starts_at, place.strip()
    return _save(conference, "starts_at", "place")


@transaction.atomic
def hold(*, conference_id: UUID, by: Membership, at: datetime) -> Conference:
    """Says that the meeting takes place, so that actions can be agreed. Said already, it changes nothing.

    Raises NotAllowed, ConferenceNotFound, NotNow, TooEarly before the day of the meeting.
    """
    policies.check_can_call_conferences(by)
    conference = lock(conference_id, by)
    if conference.state == ConferenceState.HELD:
        return conference
    _check_may_become(conference, ConferenceState.HELD)
    if timezone.localdate(at) < timezone.localdate(conference.starts_at):
        raise TooEarly
    conference.state, conference.held_at, conference.held_by = ConferenceState.HELD, at, by
    return _save(conference, "state", "held_at", "held_by")


@transaction.atomic
def close(*, conference_id: UUID, by: Membership, at: datetime) -> Conference:
    """Closes a conference of which nothing is left to do. Done already, it changes nothing.

    Raises NotAllowed, ConferenceNotFound, NotNow, ActionsLeft where an action is open.
    """
    policies.check_can_call_conferences(by)
    conference = lock(conference_id, by)
    if conference.state == ConferenceState.CLOSED:
        return conference
    _check_may_become(conference, ConferenceState.CLOSED)
    if AgreedAction.objects.filter(item__conference=conference, state=ActionState.OPEN).exists():
        raise ActionsLeft
    conference.state, conference.ended_at, conference.ended_by = ConferenceState.CLOSED, at, by
    return _save(conference, "state", "ended_at", "ended_by")


@transaction.atomic
def cancel(*, conference_id: UUID, reason: str, by: Membership, at: datetime) -> Conference:
    """Cancels a conference that has not been held. Done already, it changes nothing.

    Raises ValueError without a reason, NotAllowed, ConferenceNotFound, NotNow.
    """
    policies.check_can_call_conferences(by)
    if not (reason := reason.strip()):
        raise ValueError("Say why it is cancelled.")
    conference = lock(conference_id, by)
    if (conference.state, conference.cancel_reason) == (ConferenceState.CANCELLED, reason):
        return conference
    _check_may_become(conference, ConferenceState.CANCELLED)
    conference.state, conference.ended_at, conference.ended_by = ConferenceState.CANCELLED, at, by
    conference.cancel_reason = reason
    return _save(conference, "state", "ended_at", "ended_by", "cancel_reason")


@transaction.atomic
def add_people(*, conference_id: UUID, patient_ids: Collection[UUID], by: Membership, at: datetime) -> list[AgendaItem]:
    """Puts people on the agenda and returns the items of those added now.

    Who is on it already stays as they are; who may not be discussed there (see `suggestions.candidates`) is
    left out, so that the caller tells by the number. Raises NotAllowed, ConferenceNotFound, NotNow.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    found = suggestions.candidates(by, conference, timezone.localdate(at), among=patient_ids)
    before = {item.patient_id: item for item in conference.items.all()}
    added = []
    for person in found:
        item = before.get(person.patient_id) or AgendaItem(conference=conference, patient_id=person.patient_id)
        item.reasons, item.added_at, item.added_by = [reason.value for reason in person.reasons], at, by
        item.removed_at = item.removed_by = None
        item.version += 1
        item.save()
        added.append(item)
    return added


@transaction.atomic
def take_off(*, conference_id: UUID, item_id: UUID, by: Membership, at: datetime) -> AgendaItem:
    """Takes somebody off the agenda, about whom nothing was agreed. What was written down is kept.

    Raises NotAllowed, ConferenceNotFound, NotNow, ActionsLeft.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    if queries.person_on(by, conference, item_id, timezone.localdate(at)) is None:
        raise ConferenceNotFound
    item = conference.items.get(pk=item_id)
    if item.actions.exists():
        raise ActionsLeft
    item.removed_at, item.removed_by = at, by
    item.version += 1
    item.save(update_fields=["removed_at", "removed_by", "version"])
    return item


@transaction.atomic
def write_needs(
    *,
    conference_id: UUID,
    item_id: UUID,
    needs: Sequence[NeedKind],
    detail: str,
    seen: int,
    by: Membership,
    at: datetime,
) -> AgendaItem:
    """Writes down the care and support that somebody needs, which both sides read. The same again changes nothing.

    Raises NotAllowed, ConferenceNotFound, NotNow, Changed.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    item = _item(conference, item_id, by, at)
    kinds = [kind.value for kind in NeedKind if kind in needs]
    if (item.needs, item.needs_detail) == (kinds, detail.strip()):
        return item
    check_seen(item.version, seen)
    item.needs, item.needs_detail = kinds, detail.strip()
    item.version += 1
    item.save(update_fields=["needs", "needs_detail", "version"])
    return item


@transaction.atomic
def write_note(
    *, conference_id: UUID, item_id: UUID, text: str, seen: int, by: Membership, at: datetime
) -> ConferenceNote:
    """Writes the note of `by`'s side about somebody; the other side never reads it. The same again changes nothing.

    `seen` is 0 where there was none. Raises NotAllowed, ConferenceNotFound, NotNow, Changed.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    item = _item(conference, item_id, by, at)
    side = queries.side_of(by)
    note = item.notes.filter(side=side).first() or ConferenceNote(item=item, side=side, version=0)
    if note.pk and note.text == text.strip():
        return note
    check_seen(note.version, seen)
    note.text, note.written_at, note.written_by = text.strip(), at, by
    note.version += 1
    note.save()
    return note


@transaction.atomic
def invite(*, conference_id: UUID, membership_id: UUID, by: Membership) -> Participant:
    """Adds a user of either organisation to those who take part. Done already, it changes nothing.

    Raises NotAllowed, ConferenceNotFound also where they are neither's, NotNow.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    if earlier := conference.participants.filter(membership=membership_id).first():
        return earlier
    member = next((one for one in queries.may_be_invited(conference) if one.pk == membership_id), None)
    if member is None:
        raise ConferenceNotFound
    _save(conference)
    return _add_member(conference, member)


@transaction.atomic
def invite_by_name(*, conference_id: UUID, side: Side, name: str, job: str, by: Membership) -> Participant:
    """Adds somebody who does not use this service. The same name and job of the same side again changes nothing.

    Raises ValueError without a name, NotAllowed, ConferenceNotFound, NotNow.
    """
    policies.check_can_take_part(by)
    if not (name := name.strip()):
        raise ValueError("Say who takes part.")
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    participant, is_new = conference.participants.get_or_create(side=side, name=name, job=job.strip())
    if is_new:
        _save(conference)
    return participant


@transaction.atomic
def uninvite(*, conference_id: UUID, participant_id: int, by: Membership) -> None:
    """Takes somebody off those who take part, for example a name typed wrong. The change history keeps them.

    Raises NotAllowed, ConferenceNotFound, NotNow, OwnsActions.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, OPEN_CONFERENCES)
    participant = conference.participants.filter(pk=participant_id).first()
    if participant is None:
        raise ConferenceNotFound
    if participant.actions.exists():
        raise OwnsActions
    participant.delete()
    _save(conference)


@transaction.atomic
def take_attendance(*, conference_id: UUID, came: Collection[int], seen: int, by: Membership) -> Conference:
    """Writes down which participants came, and that the others did not.

    `seen` is the conference's version; inviting somebody raises it too, so that nobody is put down as absent
    unseen. Raises NotAllowed, ConferenceNotFound, NotNow before it is held, Changed.
    """
    policies.check_can_take_part(by)
    conference = lock(conference_id, by, {ConferenceState.HELD})
    check_seen(conference.version, seen)
    for participant in conference.participants.all():
        participant.came = participant.pk in came
        participant.save(update_fields=["came"])
    return _save(conference)


def lock(
    conference_id: UUID, by: Membership, states: Collection[ConferenceState] = tuple(ConferenceState)
) -> Conference:
    """Returns a conference of `by`'s side, locked, in one of these states; raises ConferenceNotFound, NotNow."""
    conference = queries.conferences(by).filter(pk=conference_id).select_for_update(of=("self",), no_key=True).first()
    if conference is None:
        raise ConferenceNotFound
    if conference.state not in states:
        raise NotNow(ConferenceState(conference.state))
    return conference


def check_seen(version: int, seen: int) -> None:
    """Raises Changed where what is there is not what was shown."""
    if version != seen:
        raise Changed


def _item(conference: Conference, item_id: UUID, by: Membership, at: datetime) -> AgendaItem:
    """Returns somebody on the agenda whom this side may see today."""
    person = queries.person_on(by, conference, item_id, timezone.localdate(at))
    if person is None or not person.name:
        raise ConferenceNotFound
    return conference.items.get(pk=item_id)


def _check_may_become(conference: Conference, to: ConferenceState) -> None:
    state = ConferenceState(conference.state)
    if not may_become(state, to):
        raise NotNow(state)


def _save(conference: Conference, *fields: str) -> Conference:
    conference.version += 1
    conference.save(update_fields=[*fields, "version"])
    return conference


def _add_member(conference: Conference, member: Membership) -> Participant:
    return Participant.objects.create(
        conference=conference,
        side=queries.side_of(member),
        name=member.user.name,
        job=member.get_role_display(),
        membership=member,
    )

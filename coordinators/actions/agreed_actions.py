"""What is agreed at a case conference: agreeing it, progress, giving it to somebody else, and closing it."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from coordinators import policies
from coordinators.actions.conferences import ConferenceNotFound, check_seen, lock
from coordinators.conference_rules import ActionState, ConferenceState, Side
from coordinators.models import ActionProgress, AgreedAction, Participant
from coordinators.queries import conferences as queries
from shielding.accounts.models import Membership


class ActionNotFound(Exception):
    """This side sees no such action."""


class NotYours(Exception):
    """The action is the other side's, which sees the person and settles it."""


class AlreadySettled(Exception):
    """The action is done, or will not be done."""


class OwnerCannotSeeThem(Exception):
    """The owner's side may not be told who the person is, so that it cannot do anything for them."""


class FormUsedBefore(Exception):
    """The form's token belongs to something else."""


@transaction.atomic
def agree(
    *,
    action_id: UUID,
    conference_id: UUID,
    item_id: UUID,
    what: str,
    owner_id: int,
    due_date: date,
    by: Membership,
    at: datetime,
) -> AgreedAction:
    """Writes down what was agreed about somebody, which participant does it, and by when.

    `action_id` is the form's token: sent twice, the action of the first time is returned. Raises ValueError
    without words or with a day gone by, NotAllowed, ConferenceNotFound (the owner too must take part), NotNow
    unless the conference is held, OwnerCannotSeeThem, FormUsedBefore.
    """
    policies.check_can_take_part(by)
    if not (what := what.strip()):
        raise ValueError("Say what was agreed.")
    conference = lock(conference_id, by, {ConferenceState.HELD})
    if earlier := AgreedAction.objects.filter(pk=action_id).first():
        if earlier.item_id != item_id or earlier.agreed_by_id != by.pk:
            raise FormUsedBefore
        return earlier
    today = timezone.localdate(at)
    _check_due(due_date, today)
    person = queries.person_on(by, conference, item_id, today)
    if person is None or not person.name:
        raise ConferenceNotFound
    owner = _owner(conference.pk, owner_id)
    _check_owner_sees(item_id, owner, today)
    return AgreedAction.objects.create(
        id=action_id,
        item_id=item_id,
        what=what,
        owner=owner,
        due_date=due_date,
        state=ActionState.OPEN,
        agreed_at=at,
        agreed_by=by,
    )


@transaction.atomic
def give(*, action_id: UUID, owner_id: int, due_date: date, seen: int, by: Membership, at: datetime) -> AgreedAction:
    """Gives an open action to another participant, or another date. The same again changes nothing.

    Raises ValueError with a day gone by, NotAllowed, ActionNotFound, ConferenceNotFound (no such participant),
    NotYours, AlreadySettled, OwnerCannotSeeThem, Changed.
    """
    today = timezone.localdate(at)
    action = _locked(action_id, by, today)
    if (action.owner_id, action.due_date) == (owner_id, due_date):
        return action
    check_seen(action.version, seen)
    if action.due_date != due_date:
        _check_due(due_date, today)
    owner = _owner(action.item.conference_id, owner_id)
    _check_owner_sees(action.item_id, owner, today)
    action.owner, action.due_date = owner, due_date
    action.version += 1
    action.save(update_fields=["owner", "due_date", "version"])
    return action


@transaction.atomic
def report(*, progress_id: UUID, action_id: UUID, text: str, by: Membership, at: datetime) -> ActionProgress:
    """Writes down how far an open action has come. Both sides may, about whom they see.

    `progress_id` is the form's token: sent twice, what was written the first time is returned. Raises
    ValueError without words, NotAllowed, ActionNotFound, AlreadySettled, FormUsedBefore.
    """
    if not (text := text.strip()):
        raise ValueError("Say how far it has come.")
    action = _locked(action_id, by, timezone.localdate(at), to_settle=False)
    if earlier := ActionProgress.objects.filter(pk=progress_id).first():
        if earlier.action_id != action_id or earlier.by_id != by.pk:
            raise FormUsedBefore
        return earlier
    return ActionProgress.objects.create(id=progress_id, action=action, at=at, by=by, text=text)


@transaction.atomic
def settle(
    *, action_id: UUID, state: ActionState, outcome: str, seen: int, by: Membership, at: datetime
) -> AgreedAction:
    """Closes an open action as done, with what was done, or as one that will not be, with why.

    The same again by the same person changes nothing. Raises ValueError without words or where `state` is
    OPEN, NotAllowed, ActionNotFound, NotYours, AlreadySettled, Changed.
    """
    if not (outcome := outcome.strip()) or state is ActionState.OPEN:
        raise ValueError("Say what was done, or why it will not be.")
    try:
        action = _locked(action_id, by, timezone.localdate(at))
    except AlreadySettled:
        action = AgreedAction.objects.get(pk=action_id)
        if (action.state, action.outcome, action.settled_by_id) != (state, outcome, by.pk):
            raise
        return action
    check_seen(action.version, seen)
    action.state, action.outcome, action.settled_at, action.settled_by = state, outcome, at, by
    action.version += 1
    action.save(update_fields=["state", "outcome", "settled_at", "settled_by", "version"])
    return action


def _locked(action_id: UUID, by: Membership, on: date, *, to_settle: bool = True) -> AgreedAction:
    """Returns an open action about somebody whom `by` sees, after its conference's lock."""
    policies.check_can_take_part(by)
    found = queries.action_for(by, action_id, on)
    if found is None:
        raise ActionNotFound
    lock(found[0].conference.pk, by)
    # Read again: only now does nobody else change it, or the person's standing as written here.
    again = queries.action_for(by, action_id, on)
    if again is None:
        raise ActionNotFound
    if again[1].state is not ActionState.OPEN:
        raise AlreadySettled
    if to_settle and not again[1].may_settle:
        raise NotYours
    return AgreedAction.objects.select_related("item").get(pk=action_id)


def _owner(conference_id: UUID, owner_id: int) -> Participant:
    owner = Participant.objects.filter(conference=conference_id, pk=owner_id).first()
    if owner is None:
        raise ConferenceNotFound
    return owner


def _check_owner_sees(item_id: UUID, owner: Participant, on: date) -> None:
    items = queries.with_people(owner.conference.items.filter(pk=item_id))
    if not queries.standings(items, on)[item_id].may_be_seen_by(Side(owner.side)):
        raise OwnerCannotSeeThem


def _check_due(due_date: date, today: date) -> None:
    if due_date < today:
        raise ValueError("The due date has gone by.")

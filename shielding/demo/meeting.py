"""A case conference of the invented country: a practice and its council go through three of its people."""

from datetime import timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from coordinators.actions import agreed_actions, conferences
from coordinators.actions.conference_referrals import refer_needs
from coordinators.models import Conference
from coordinators.queries import suggestions
from coordinators.rules import NeedKind
from shielding.accounts.models import Membership

_NAMESPACE = UUID("6c5f3b0e-6f5d-4d0e-9d6c-2f3f7a4b1c20")
#: Of the first three on the agenda: what they need, and what is agreed about it, by the council and the practice.
_AGREED = (
    (NeedKind.FOOD, "Weekly food parcel, left at the door", "council"),
    (NeedKind.LONELINESS, "Ring every Tuesday", "practice"),
    (NeedKind.TRANSPORT, "A lift to the clinic on the 28th", "council"),
)


@transaction.atomic
def confer(*, by: Membership, council: Membership) -> Conference | None:
    """Holds a conference of `by`'s practice with its council about those most in need, and returns it.

    The needs of the first are referred to the council; an action is agreed about each. None where nobody who
    could be talked about lives in the council's area. A second run finds what the first one made.
    """
    now = timezone.now()
    authority = council.organisation.local_authority_id
    if authority not in {area.pk for area, _ in suggestions.councils_for(by, timezone.localdate(now))}:
        return None
    made = conferences.plan(
        conference_id=_name("conference", by.organisation.code),
        local_authority_id=str(authority),
        starts_at=now,
        place="By video",
        by=by,
        at=now,
    )
    if made.items.exists():
        return made
    people = [one.patient_id for one in suggestions.candidates(by, made, timezone.localdate(now))]
    items = conferences.add_people(conference_id=made.pk, patient_ids=people[: len(_AGREED)], by=by, at=now)
    theirs = conferences.invite(conference_id=made.pk, membership_id=council.pk, by=by)
    made = conferences.hold(conference_id=made.pk, by=by, at=now)
    owners = {"council": theirs, "practice": made.participants.get(membership=by)}
    for item, (need, what, owner) in zip(items, _AGREED, strict=False):
        seen = conferences.write_needs(
            conference_id=made.pk, item_id=item.pk, needs=[need], detail="", seen=item.version, by=by, at=now
        )
        agreed_actions.agree(
            action_id=_name("action", str(item.pk)),
            conference_id=made.pk,
            item_id=item.pk,
            what=what,
            owner_id=owners[owner].pk,
            due_date=timezone.localdate(now) + timedelta(days=7),
            by=by,
            at=now,
        )
        if item == items[0]:
            refer_needs(conference_id=made.pk, item_id=item.pk, seen=seen.version, by=by, at=now)
    return made


def _name(*words: str) -> UUID:
    return uuid5(_NAMESPACE, " ".join(words))

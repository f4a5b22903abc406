"""Reads of case conferences: each side reaches its own, and on the agenda whom that side may see.

A practice sees its own patients: of somebody who has left it, only what was agreed, without a name.
A council sees who lives in its area today, and no restricted record; of each no more than it needs to
help. Neither reads the other's notes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from dataclasses import replace as _replace
from datetime import date, datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from cohort.models import Patient
from coordinators.conference_rules import (
    OPEN_CONFERENCES,
    ActionState,
    AgendaReason,
    Change,
    ConferenceState,
    Side,
    Standing,
    is_left_over,
    may_settle,
)
from coordinators.models import (
    ActionProgress,
    AgendaItem,
    AgreedAction,
    Conference,
    ConferenceNote,
    Need,
    Participant,
)
from coordinators.queries.referrals import OPEN_STATES
from coordinators.rules import (
    NeedKind,
    ReferralState,
    death_notice,
    safe_contact,
)
from shielding.accounts.models import Membership, Organisation, Role
from shielding.places.models import LocalAuthority
from shielding.places.queries import local_authorities_for


def side_of(by: Membership) -> Side:
    """Returns which of the two sides somebody works for."""
    is_council = by.organisation.kind == Organisation.Kind.LOCAL_AUTHORITY
    return Side.COUNCIL if is_council else Side.PRACTICE


def conferences(by: Membership) -> QuerySet[Conference]:
    """Returns the conferences of somebody's practice or council, with both; everything about them goes through it."""
    found = Conference.objects.select_related("practice", "local_authority")
    if side_of(by) is Side.PRACTICE:
        return found.filter(practice=by.organisation_id)
    return found.filter(local_authority=by.organisation.local_authority_id)


def upcoming(by: Membership) -> QuerySet[Conference]:
    """Returns the conferences that are planned, the next first."""
    return conferences(by).filter(state=ConferenceState.PLANNED).order_by("starts_at", "pk")


def held(by: Membership) -> QuerySet[Conference]:
    """Returns the conferences that were held and are not closed, the oldest first."""
    return conferences(by).filter(state=ConferenceState.HELD).order_by("starts_at", "pk")


def ended(by: Membership) -> QuerySet[Conference]:
    """Returns the conferences that were closed or cancelled, the newest first."""
    return conferences(by).exclude(state__in=OPEN_CONFERENCES).order_by("-starts_at", "pk")


def conference_for(by: Membership, conference_id: UUID) -> Conference | None:
    """Returns one conference of somebody's practice or council, or None: another's is not there."""
    return conferences(by).filter(pk=conference_id).first()


def council_name(conference: Conference) -> str:
    """Returns what the council is called: that of its organisation, else of its area."""
    organisation = Organisation.objects.filter(local_authority=conference.local_authority_id).first()
    return organisation.name if organisation else conference.local_authority.name


def participants(conference: Conference) -> QuerySet[Participant]:
    """Returns who takes part, the practice's first, by name."""
    return conference.participants.select_related("membership__user").order_by("-side", "name", "pk")


def may_be_invited(conference: Conference) -> list[Membership]:
    """Returns the people of both organisations who may take part and are not among the participants, by name."""
    return list(
        Membership.objects.filter(ended_at__isnull=True, user__is_active=True)
        .filter(
            Q(organisation=conference.practice_id, role__in=[Role.GP, Role.PRACTICE_STAFF, Role.COORDINATOR])
            | Q(organisation__local_authority=conference.local_authority_id, role=Role.LA_STAFF)
        )
        .exclude(pk__in=conference.participants.filter(membership__isnull=False).values("membership"))
        .select_related("user", "organisation")
        .order_by("-organisation__kind", "user__name", "pk")
    )


@dataclass(frozen=True)
class AgreedActionRow:
    """An action as one side sees it, with what that side may do about it."""

    id: UUID
    what: str
    owner: str
    owner_id: int
    owner_side: Side
    due_date: date
    state: ActionState
    outcome: str
    agreed_at: datetime
    settled_at: datetime | None
    version: int
    is_overdue: bool
    has_owner_left: bool
    is_left_over: bool
    may_settle: bool


@dataclass(frozen=True)
class AgendaPerson:
    """Somebody on an agenda, as much of them as one side may see.

    Where `name` is empty the person has left the practice: who they are is no longer its to see, only what
    was agreed. `note` is the side's own. A council gets no NHS number, and contact details only while the
    conference is open and the person is not known to have died.
    """

    item_id: UUID
    patient_id: UUID
    conference: Conference
    version: int
    changes: list[Change]
    needs: list[NeedKind]
    needs_detail: str
    referred: dict[NeedKind, ReferralState] = field(default_factory=dict)
    name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    nhs_number: str = ""
    reasons: list[AgendaReason] = field(default_factory=list)
    death_notice: str = ""
    safe_contact: str = ""
    address_lines: tuple[str, ...] = ()
    postcode: str = ""
    mobile: str = ""
    landline: str = ""
    note: str = ""
    note_version: int = 0
    actions: list[AgreedActionRow] = field(default_factory=list)

    @property
    def open_actions(self) -> list[AgreedActionRow]:
        """What is still to be done."""
        return [action for action in self.actions if action.state is ActionState.OPEN]

    @property
    def is_untouched(self) -> bool:
        """Says whether nothing is agreed yet, so that they can be taken off the agenda."""
        return not self.actions

    @property
    def to_refer(self) -> list[NeedKind]:
        """The needs that this meeting has not referred to the council."""
        return [need for need in self.needs if need not in self.referred]


def agenda(by: Membership, conference: Conference, on: date) -> list[AgendaPerson]:
    """Returns whom this side may see of those on the agenda, by name; those who left the practice come last."""
    items = conference.items.filter(removed_at__isnull=True)
    return sorted(_people(by, items, on), key=lambda one: (not one.name, one.family_name, one.name, one.item_id))


def person_on(by: Membership, conference: Conference, item_id: UUID, on: date) -> AgendaPerson | None:
    """Returns one person of the agenda, or None where this side may not see them, or they were taken off."""
    return next(iter(_people(by, conference.items.filter(pk=item_id, removed_at__isnull=True), on)), None)


def not_referred(item_id: UUID, patient_id: UUID, needs: Iterable[NeedKind]) -> list[NeedKind]:
    """Returns which of these needs neither this item of an agenda has referred, nor a council has open already."""
    done = Need.objects.filter(
        Q(agenda_item=item_id) | Q(patient=patient_id, referral__state__in=[state.value for state in OPEN_STATES])
    )
    there = set(done.values_list("kind", flat=True))
    return [need for need in needs if need.value not in there]


def action_for(by: Membership, action_id: UUID, on: date) -> tuple[AgendaPerson, AgreedActionRow] | None:
    """Returns an action with the person it is about, or None where this side may not see them."""
    items = AgendaItem.objects.filter(conference__in=conferences(by), actions=action_id)
    for person in _people(by, items, on):
        return person, next(action for action in person.actions if action.id == action_id)
    return None


def progress_of(action: AgreedActionRow) -> QuerySet[ActionProgress]:
    """Returns how far an action that came out of `action_for` has come, the newest first."""
    return ActionProgress.objects.filter(action=action.id).select_related("by__user").order_by("-at", "-pk")


def open_actions(by: Membership, on: date) -> list[tuple[AgendaPerson, AgreedActionRow]]:
    """Returns every open action about the people whom this side may see, the one due longest ago first."""
    items = AgendaItem.objects.filter(conference__in=conferences(by), actions__state=ActionState.OPEN).distinct()
    rows = [(person, action) for person in _people(by, items, on) for action in person.open_actions]
    return sorted(rows, key=lambda row: (row[1].due_date, row[1].agreed_at, row[1].id))


def standings(items: Iterable[AgendaItem], on: date) -> dict[UUID, Standing]:
    """Returns how each person stands today, by the item's id. The items come with patient, entry and conference."""
    found = list(items)
    areas = local_authorities_for({item.patient.postcode for item in found}, on)
    return {item.pk: _standing(item, areas[item.patient.postcode]) for item in found}


def with_people(items: QuerySet[AgendaItem]) -> QuerySet[AgendaItem]:
    """Returns the items with all that `standings` reads."""
    return items.select_related(
        "patient__entry", "conference__practice", "conference__local_authority", "patient__practice"
    )


def _standing(item: AgendaItem, area: LocalAuthority | None) -> Standing:
    patient, entry = item.patient, getattr(item.patient, "entry", None)
    return Standing(
        death_status=patient.death_status,
        is_at_practice=patient.practice_id == item.conference.practice_id,
        is_restricted=patient.is_restricted,
        is_in_area=area is not None and area.pk == item.conference.local_authority_id,
        is_on_list=entry is not None and entry.is_on_list,
    )


def _people(by: Membership, items: QuerySet[AgendaItem], on: date) -> list[AgendaPerson]:
    side = side_of(by)
    own_notes = Prefetch("notes", ConferenceNote.objects.filter(side=side), to_attr="own_notes")
    agreed = Prefetch(
        "actions",
        AgreedAction.objects.select_related("owner__membership__user").order_by("due_date", "agreed_at", "pk"),
    )
    referred = Prefetch("referred_needs", Need.objects.select_related("referral"))
    found = list(with_people(items).prefetch_related(own_notes, agreed, referred))
    people = standings(found, on)
    # A practice keeps what was agreed about somebody who left, without a name, so that it can be brought to an end.
    return [
        _person(item, people[item.pk], side, on)
        for item in found
        if side is Side.PRACTICE or people[item.pk].may_be_seen_by(side)
    ]


def _person(item: AgendaItem, standing: Standing, side: Side, on: date) -> AgendaPerson:
    patient, conference = item.patient, item.conference
    shared = AgendaPerson(
        item_id=item.pk,
        patient_id=patient.pk,
        conference=conference,
        version=item.version,
        changes=standing.changes,
        needs=[NeedKind(need) for need in item.needs],
        needs_detail=item.needs_detail,
        referred={NeedKind(need.kind): ReferralState(need.referral.state) for need in item.referred_needs.all()},
        actions=[_action(action, standing, side, on) for action in item.actions.all()],
    )
    if not standing.may_be_seen_by(side):
        return _replace(shared, changes=[Change.LEFT_PRACTICE], needs=[], needs_detail="", referred={})
    note = next(iter(item.own_notes), None)  # type: ignore[attr-defined]
    known = _replace(
        shared,
        name=f"{patient.given_name} {patient.family_name}",
        family_name=patient.family_name,
        birth_date=patient.birth_date,
        nhs_number=patient.nhs_number if side is Side.PRACTICE else "",
        reasons=[AgendaReason(reason) for reason in item.reasons],
        death_notice=death_notice(patient.death_status),
        safe_contact=safe_contact(patient.safe_contact_instruction, patient.unsafe_channels),
        note=note.text if note else "",
        note_version=note.version if note else 0,
    )
    is_told_where = patient.death_status != Patient.DeathStatus.FORMAL and (
        side is Side.PRACTICE or conference.state in OPEN_CONFERENCES
    )
    if not is_told_where:
        return known
    known = _replace(known, mobile=patient.mobile, landline=patient.landline)
    # As on a coordinator's page: nobody who has a restricted record on the screen needs to show where they live.
    if patient.is_restricted:
        return known
    return _replace(known, address_lines=tuple(patient.address_lines), postcode=patient.postcode)


def _action(action: AgreedAction, standing: Standing, side: Side, on: date) -> AgreedActionRow:
    owner, member = Side(action.owner.side), action.owner.membership
    has_owner_left = member is not None and (member.ended_at is not None or not member.user.is_active)
    state = ActionState(action.state)
    is_open = state is ActionState.OPEN
    return AgreedActionRow(
        id=action.pk,
        what=action.what,
        owner=str(action.owner),
        owner_id=action.owner_id,
        owner_side=owner,
        due_date=action.due_date,
        state=state,
        outcome=action.outcome,
        agreed_at=action.agreed_at,
        settled_at=action.settled_at,
        version=action.version,
        is_overdue=is_open and action.due_date < on,
        has_owner_left=is_open and has_owner_left,
        is_left_over=is_open and is_left_over(owner, standing, has_owner_left=has_owner_left),
        may_settle=is_open and may_settle(side, owner, standing),
    )

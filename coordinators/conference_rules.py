"""The decisions of case conferences: legal moves, who is suggested and why, what has changed about somebody.

A case conference is a meeting of a practice and a local authority about the practice's very vulnerable
patients (domain, section 8). Pure: no Django, no clock, no I/O.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from coordinators.rules import CheckInOutcome, needs_another_way


class Side(StrEnum):
    """The two that meet."""

    PRACTICE = "PRACTICE"
    COUNCIL = "COUNCIL"


class ConferenceState(StrEnum):
    """Where a case conference stands. HELD until nothing that was agreed there is open any more."""

    PLANNED = "PLANNED"
    HELD = "HELD"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


#: From each state of a conference, where it may go. Enforced in the database.
CONFERENCE_TRANSITIONS: dict[ConferenceState, frozenset[ConferenceState]] = {
    ConferenceState.PLANNED: frozenset({ConferenceState.HELD, ConferenceState.CANCELLED}),
    ConferenceState.HELD: frozenset({ConferenceState.CLOSED}),
    ConferenceState.CLOSED: frozenset(),
    ConferenceState.CANCELLED: frozenset(),
}

#: While a conference is in one of these, people, needs and notes may still be written down.
OPEN_CONFERENCES = frozenset({ConferenceState.PLANNED, ConferenceState.HELD})


class ActionState(StrEnum):
    """What became of an agreed action. NOT_DONE: it will not be, and why is on record."""

    OPEN = "OPEN"
    DONE = "DONE"
    NOT_DONE = "NOT_DONE"


#: From each state of an agreed action, where it may go. Enforced in the database.
ACTION_TRANSITIONS: dict[ActionState, frozenset[ActionState]] = {
    ActionState.OPEN: frozenset({ActionState.DONE, ActionState.NOT_DONE}),
    ActionState.DONE: frozenset(),
    ActionState.NOT_DONE: frozenset(),
}


def may_become(state: ConferenceState, to: ConferenceState) -> bool:
    """Returns whether a conference in `state` may go to `to`."""
    return to in CONFERENCE_TRANSITIONS[state]


class AgendaReason(StrEnum):
    """Why somebody on the list is suggested for the agenda.

    Both sides see these, so none is clinical and none says anything of safeguarding.
    """

    OPEN_NEED = "OPEN_NEED"
    UNMET_NEED = "UNMET_NEED"
    NOT_REACHED = "NOT_REACHED"
    NO_PHONE = "NO_PHONE"
    AGE = "AGE"


#: An assumption: the published guidance names no age. Old age alone suggests nobody before those with another reason.
OLD_AGE = 80


@dataclass(frozen=True)
class AgendaFacts:
    """What suggesting somebody rests on. `latest` are the outcomes of the newest check-ins, the newest first."""

    birth_date: date
    open_needs: int = 0
    unmet_needs: int = 0
    latest: Sequence[CheckInOutcome] = ()
    has_phone: bool = True


def agenda_reasons(facts: AgendaFacts, on: date) -> list[AgendaReason]:
    """Returns why somebody should be on the agenda of that day, the strongest first; nothing where nothing says so."""
    found = {
        AgendaReason.OPEN_NEED: facts.open_needs > 0,
        AgendaReason.UNMET_NEED: facts.unmet_needs > 0,
        AgendaReason.NOT_REACHED: needs_another_way(list(facts.latest)),
        AgendaReason.NO_PHONE: not facts.has_phone,
        AgendaReason.AGE: age(facts.birth_date, on) >= OLD_AGE,
    }
    return [reason for reason, is_so in found.items() if is_so]


def age(birth_date: date, on: date) -> int:
    """Returns whole years."""
    return int(on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day)))


class Change(StrEnum):
    """What has become of somebody since they were put on an agenda."""

    DIED = "DIED"
    REPORTED_DEAD = "REPORTED_DEAD"
    LEFT_PRACTICE = "LEFT_PRACTICE"
    RESTRICTED = "RESTRICTED"
    OUTSIDE_AREA = "OUTSIDE_AREA"
    OFF_LIST = "OFF_LIST"


@dataclass(frozen=True)
class Standing:
    """How somebody on an agenda stands today, seen from the two that meet about them."""

    death_status: str = ""
    is_at_practice: bool = True
    is_restricted: bool = False
    is_in_area: bool = True
    is_on_list: bool = True

    @property
    def changes(self) -> list[Change]:
        """What both sides must reckon with before they do anything, the gravest first."""
        found = {
            Change.DIED: self.death_status == "FORMAL",
            Change.REPORTED_DEAD: self.death_status == "INFORMAL",
            Change.LEFT_PRACTICE: not self.is_at_practice,
            Change.RESTRICTED: self.is_restricted,
            Change.OUTSIDE_AREA: not self.is_in_area,
            Change.OFF_LIST: not self.is_on_list,
        }
        return [change for change, is_so in found.items() if is_so]

    def may_be_seen_by(self, side: Side) -> bool:
        """Says whether a side may be told who this is.

        A practice sees its own patients. A council sees who lives in its area, and no restricted record.
        """
        if side is Side.PRACTICE:
            return self.is_at_practice
        return self.is_in_area and not self.is_restricted

    @property
    def may_be_discussed(self) -> bool:
        """Says whether both sides may see this person, so that they can be put on an agenda."""
        return all(self.may_be_seen_by(side) for side in Side) and self.death_status != "FORMAL"


def is_left_over(owner: Side, standing: Standing, *, has_owner_left: bool) -> bool:
    """Says whether an open action needs a decision, since its owner is gone or the person stands otherwise.

    Somebody who only went off the list may still need what was agreed, so that is for them to say too.
    """
    return has_owner_left or bool(standing.changes) or not standing.may_be_seen_by(owner)


def may_settle(side: Side, owner: Side, standing: Standing) -> bool:
    """Says whether a side may close an action or give it to somebody else.

    The owner's side may. So may the practice, which called the meeting, where the council can no longer
    see the person: otherwise nobody could.
    """
    return side is owner or (side is Side.PRACTICE and not standing.may_be_seen_by(Side.COUNCIL))

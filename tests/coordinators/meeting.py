"""Invented case conferences for the tests: two sides, and a meeting about Amina."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from cohort.models import ListEntry, Patient
from coordinators.actions import agreed_actions, conferences
from coordinators.conference_rules import ConferenceState
from coordinators.models import AgendaItem, AgreedAction, Conference, Participant
from coordinators.queries import conferences as queries
from shielding.accounts.models import Membership, Role
from shielding.places.models import Postcode
from tests.cohort.factories import NOW, MembershipFactory
from tests.coordinators.factories import Team, make_team, validated

TODAY = NOW.date()
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


@dataclass
class Meeting:
    """A conference of Mill Lane Surgery and Sutton, held today, with Amina on its agenda.

    Grace is a GP of the practice, Leah works for the council; the others of `team` have no part in it.
    """

    team: Team
    conference: Conference
    item: AgendaItem
    gp: Membership
    council: Membership
    gp_takes_part: Participant
    council_takes_part: Participant

    @property
    def amina(self) -> Patient:
        return self.team.amina

    def agree(self, owner: Participant | None = None, **fields: Any) -> AgreedAction:
        """Returns an action that was agreed, the council's unless told, due tomorrow."""
        return agreed_actions.agree(
            **{
                "action_id": uuid4(),
                "conference_id": self.conference.pk,
                "item_id": self.item.pk,
                "what": "Weekly food parcel",
                "owner_id": (owner or self.council_takes_part).pk,
                "due_date": TOMORROW,
                "by": self.gp,
                "at": NOW,
                **fields,
            }
        )

    def seen_by(self, by: Membership, on: date = TODAY) -> queries.AgendaPerson | None:
        """Returns what a side sees of Amina, or None."""
        return queries.person_on(by, self.conference, self.item.pk, on)


def make_meeting(state: ConferenceState = ConferenceState.HELD, team: Team | None = None) -> Meeting:
    """Returns the meeting, made in the database by the actions."""
    team = team or make_team()
    gp = MembershipFactory(organisation=team.practice, role=Role.GP, user__name="Dr Grace Okafor")
    team.staff.user.name = "Leah Council"
    team.staff.user.save()
    conference = conferences.plan(
        conference_id=uuid4(), local_authority_id="E09000029", starts_at=NOW, place="By video", by=gp, at=NOW
    )
    [item] = conferences.add_people(conference_id=conference.pk, patient_ids=[team.amina.pk], by=gp, at=NOW)
    council_takes_part = conferences.invite(conference_id=conference.pk, membership_id=team.staff.pk, by=gp)
    if state in {ConferenceState.HELD, ConferenceState.CLOSED}:
        conferences.hold(conference_id=conference.pk, by=gp, at=NOW)
    if state is ConferenceState.CLOSED:
        conferences.close(conference_id=conference.pk, by=gp, at=NOW)
    if state is ConferenceState.CANCELLED:
        conferences.cancel(conference_id=conference.pk, reason="Nobody is free", by=gp, at=NOW)
    conference.refresh_from_db()
    return Meeting(
        team=team,
        conference=conference,
        item=item,
        gp=gp,
        council=team.staff,
        gp_takes_part=conference.participants.get(membership=gp),
        council_takes_part=council_takes_part,
    )


def make_restricted(patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(is_restricted=True)


def move_to(patient: Patient, postcode: str) -> None:
    Patient.objects.filter(pk=patient.pk).update(postcode=postcode)


def register_elsewhere(patient: Patient, team: Team) -> None:
    Patient.objects.filter(pk=patient.pk).update(practice=team.charlie.practice)


def die(patient: Patient, how: str = "FORMAL") -> None:
    Patient.objects.filter(pk=patient.pk).update(death_status=how)


def leave_list(patient: Patient) -> None:
    ListEntry.objects.filter(patient=patient).update(
        is_on_list=False, review_state="REMOVED", removal_reason="LOW_RISK", is_patient_told=True
    )


def somebody(team: Team, given_name: str, **details: Any) -> Patient:
    """Returns another of the practice's listed people, who lives in Sutton."""
    [patient] = validated(team.practice, given_name=given_name, **details)
    return patient


def postcode_of(team: Team, member: Membership, postcode: str) -> str:
    """Puts another postcode into the area of somebody's council, and returns it."""
    Postcode.objects.create(postcode=postcode, local_authority=member.organisation.local_authority)
    return postcode

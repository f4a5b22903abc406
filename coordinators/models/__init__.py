"""Models of the coordinators app."""

from coordinators.models.care import NEEDS, OUTCOMES, REJECTIONS, Assignment, CheckIn, Need, Referral
from coordinators.models.conferences import (
    ACTION_STATES,
    AGENDA_REASONS,
    SIDES,
    ActionProgress,
    AgendaItem,
    AgreedAction,
    Conference,
    ConferenceNote,
    Participant,
)

__all__ = [
    "ACTION_STATES",
    "AGENDA_REASONS",
    "NEEDS",
    "OUTCOMES",
    "REJECTIONS",
    "SIDES",
    "ActionProgress",
    "AgendaItem",
    "AgreedAction",
    "Assignment",
    "CheckIn",
    "Conference",
    "ConferenceNote",
    "Need",
    "Participant",
    "Referral",
]

"""Documents made from the code, so that they cannot drift from it: state diagrams and the role table.

`manage.py write_docs` writes them; a test fails where one is out of date.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from cohort import policies as cohort_policies
from cohort.drafting import DRAFT_TRANSITIONS
from cohort.late import REMINDER_TRANSITIONS
from cohort.long_lists import LIST_TRANSITIONS
from cohort.rules import REVIEW_TRANSITIONS, RUN_TRANSITIONS
from coordinators import policies as coordination_policies
from coordinators.conference_rules import ACTION_TRANSITIONS, CONFERENCE_TRANSITIONS
from coordinators.rules import REFERRAL_TRANSITIONS
from letters import policies as letters_policies
from letters.rules import BATCH_TRANSITIONS, MESSAGE_TRANSITIONS
from shielding.accounts.models import Role
from shielding.ledger import SEE_LEDGER

MACHINES: dict[str, Mapping[Any, Collection[StrEnum]]] = {
    "Draft of a criterion": DRAFT_TRANSITIONS,
    "Search run": RUN_TRANSITIONS,
    "Review of a list entry by its practice": REVIEW_TRANSITIONS,
    "List of a hospital unit": LIST_TRANSITIONS,
    "Reminder to a practice or its care system": REMINDER_TRANSITIONS,
    "Batch of letters or texts": BATCH_TRANSITIONS,
    "One letter or text": MESSAGE_TRANSITIONS,
    "Referral to a local authority": REFERRAL_TRANSITIONS,
    "Case conference": CONFERENCE_TRANSITIONS,
    "Action agreed at a case conference": ACTION_TRANSITIONS,
}
NOTE = "<!-- Made by `manage.py write_docs` from the code: change that, not this. -->\n"


def documents() -> dict[str, str]:
    """Returns the text of each generated document by its path below the project."""
    return {"docs/states.md": _states(), "docs/roles.md": _roles()}


def _states() -> str:
    parts = [
        NOTE,
        "# States and their legal moves\n",
        "Every move below is checked by a trigger in the database; any other move is refused there.",
    ]
    for title, transitions in MACHINES.items():
        lines = [f"    {a} --> {b}" for a, after in transitions.items() for b in sorted(after)]
        ends = [f"    {a} --> [*]" for a, after in transitions.items() if not after]
        first = next(iter(transitions))
        diagram = "\n".join(["stateDiagram-v2", f"    [*] --> {first}", *lines, *ends])
        parts.append(f"\n## {title}\n\n```mermaid\n{diagram}\n```")
    return "\n".join(parts) + "\n"


def _roles() -> str:
    may = (*cohort_policies.MAY.values(), *letters_policies.MAY, *coordination_policies.MAY, SEE_LEDGER)
    head = "| may | " + " | ".join(role.label for role in Role) + " |"
    rows = [
        f"| {permission.to} | " + " | ".join("yes" if role in permission.roles else "" for role in Role) + " |"
        for permission in may
    ]
    text = (
        "What each role may do. People are further limited to their organisation's: a practice sees its own\n"
        "registered patients, a coordinator their caseload, a local authority the referrals made to it\n"
        "and, at case conferences, people of its area.\n"
        "Administrators keep organisations, users and reference data in Django admin, and see no people.\n"
    )
    return "\n".join([NOTE, "# Roles\n", text, head, "| --- " * (len(Role) + 1) + "|", *rows]) + "\n"

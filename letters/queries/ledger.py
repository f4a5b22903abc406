"""How everybody on the list stands with one campaign, for the ledger. Counts, no names."""

from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet

from cohort.models import ListEntry, PracticeList
from cohort.queries.late import late_lists, lists_to_contact
from cohort.rules import HoldReason, ReviewState
from letters.models import Campaign, Message
from letters.queries.people import by_gravity, hospital_campaign
from letters.rules import OPEN, MessageState


def contact_counts(campaign: Campaign | None, on: date) -> dict[str, Any]:
    """Returns how everybody who is on the list stands with one campaign on this day, for the ledger.

    `people` (counted apart) = `contacted` + the sum of `held` + the sum of `failed` + `waiting` +
    `unreviewed` (with their practice yet) + `late` (their practice is late, and they are held back).
    Each person is in one state, the first that fits: *contacted* (handed over by any channel, or by the
    letter of a hospital unit: `contacted_by_hospitals` says how many had such a letter),
    *waiting* (a message is open), *failed* and *held* (by reason; of several holds the gravest),
    and, of those whom no batch holds, or whose message was stopped, *waiting* where they are cleared
    for contact: `not_planned` says how many of the waiting these are. Of the waiting too are the
    `in_doubt`, of whom nobody knows yet whether the provider has theirs. `messages` counts every message
    of the campaign by channel and state. None stands for a campaign that nobody has made.
    """
    people = ListEntry.objects.filter(is_on_list=True).count()
    by_hospitals = hospital_campaign()
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDING,
            {
                "campaign": campaign.pk if campaign else None,
                "by_hospitals": by_hospitals.pk if by_hospitals else None,
                "unreviewed": ReviewState.TO_REVIEW.value,
                "open": [state.value for state in OPEN],
                "gravity": [reason.value for reason in HoldReason],
                "late": _ids(late_lists(on)),
                "to_contact": _ids(lists_to_contact(on)),
            },
        )
        rows = cursor.fetchall()
    by_state: dict[str, dict[str, int]] = {}
    for state, reason, count in rows:
        by_state.setdefault(state, {})[reason] = count
    not_planned = sum(by_state.get("NOT_PLANNED", {}).values())
    messages: dict[str, dict[str, int]] = {}
    for channel, state, count in (
        Message.objects.filter(campaign=campaign).values_list("channel", "state").annotate(Count("pk")).order_by()
    ):
        messages.setdefault(channel, {})[state] = count
    return {
        "people": people,
        "contacted": sum(by_state.get("CONTACTED", {}).values()),
        "contacted_by_hospitals": Message.objects.filter(
            campaign=by_hospitals, state=MessageState.HANDED_OVER, patient__entry__is_on_list=True
        ).count(),
        "held": by_gravity(by_state.get("HELD", {})),
        "failed": dict(sorted(by_state.get("FAILED", {}).items())),
        "waiting": sum(by_state.get("WAITING", {}).values()) + not_planned,
        "not_planned": not_planned,
        "in_doubt": by_state.get("WAITING", {}).get("D", 0),
        "unreviewed": sum(by_state.get("UNREVIEWED", {}).values()),
        "late": sum(by_state.get("LATE", {}).values()),
        "messages": messages,
    }


# The least of the marks decides; a mark is the state's rank, then the reason.
_STANDING = """
WITH message AS (
  SELECT patient_id, min(CASE
      WHEN state = 'HANDED_OVER' THEN '1'
      WHEN state = 'IN_DOUBT' THEN '2D'
      WHEN state = ANY(%(open)s) THEN '2W'
      WHEN state = 'FAILED' THEN '3' || failure
      WHEN state = 'HELD' THEN '4' || lpad(array_position(%(gravity)s::text[], hold_reason::text)::text, 2, '0')
    END COLLATE "C") AS mark
  FROM letters_message WHERE state <> 'STOPPED' AND (campaign_id = %(campaign)s
    OR (campaign_id = %(by_hospitals)s AND state = 'HANDED_OVER')) GROUP BY patient_id
)
SELECT CASE left(mark, 1) WHEN '1' THEN 'CONTACTED' WHEN '2' THEN 'WAITING' WHEN '3' THEN 'FAILED'
    WHEN '4' THEN 'HELD' ELSE CASE
      WHEN entry.review_state <> %(unreviewed)s OR entry.practice_list_id = ANY(%(to_contact)s::uuid[])
        THEN 'NOT_PLANNED'
      WHEN entry.practice_list_id = ANY(%(late)s::uuid[]) THEN 'LATE'
      ELSE 'UNREVIEWED' END
    END,
  CASE left(mark, 1) WHEN '2' THEN substr(mark, 2) WHEN '3' THEN substr(mark, 2)
    WHEN '4' THEN (%(gravity)s::text[])[substr(mark, 2)::int] ELSE '' END,
  count(*)
FROM cohort_listentry entry LEFT JOIN message ON message.patient_id = entry.patient_id
WHERE entry.is_on_list
GROUP BY 1, 2
"""


def _ids(lists: QuerySet[PracticeList]) -> list[str]:
    return [str(pk) for pk in lists.values_list("pk", flat=True)]

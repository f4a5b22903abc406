"""Reads of the letters app: who is due, how a batch stands, and what the ledger needs. Counts, no names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cohort.models import ListEntry, Patient, PracticeList
from cohort.queries.holds import hold_reason
from cohort.queries.hospitals import added_by
from cohort.queries.late import late_lists, lists_to_contact
from cohort.queries.worklists import entries
from cohort.rules import Channel, HoldReason, ReviewState
from letters.models import HOLD_REASONS, Batch, Campaign, HandOver, Message, TemplateVersion
from letters.rules import MessageState
from shielding.accounts.models import Membership, Organisation

HOLD_WORDS: Mapping[str, str] = dict(HOLD_REASONS)
#: Something is still to be done with the message.
OPEN = (MessageState.WAITING, MessageState.MAKING, MessageState.RELEASED, MessageState.IN_DOUBT)


def uk_date(at: datetime) -> date:
    """Returns the day that this moment is in, in the UK."""
    return timezone.localtime(at).date()


def cleared(on: date) -> QuerySet[ListEntry]:
    """Returns the entries of everybody on the list whom nothing but a hold keeps from being contacted on this day.

    They are validated, or their practice is late and the late are to be contacted anyway. One who is on
    the list although their practice removed them was put on by a later request of a clinician, which
    wins: they are due like anybody else.
    """
    return ListEntry.objects.filter(
        ~Q(review_state=ReviewState.TO_REVIEW) | Q(practice_list__in=lists_to_contact(on)), is_on_list=True
    )


def gone_to(practice_list: PracticeList) -> int:
    """Returns how many people on a list a letter or text has been released to, or handed over, since it was made."""
    sent = Message.objects.filter(
        patient__entry__practice_list=practice_list,
        state__in=[MessageState.RELEASED, MessageState.IN_DOUBT, MessageState.HANDED_OVER],
    )
    if made_at := practice_list.run.finished_at:
        sent = sent.filter(released_at__gte=made_at)
    return sent.values("patient").distinct().count()


def due(campaign: Campaign, channel: Channel, on: date, unit: Organisation | None = None) -> QuerySet[Any]:
    """Returns the patients cleared for contact on this day without a message of this campaign and channel.

    Of a hospital `unit`, its own alone. `hold` is why they must not be contacted, or ''. Ids only: for
    planning and counting, for no page.
    """
    own = Q(Exists(added_by(unit).filter(patient=OuterRef("pk")))) if unit else Q()
    messages = Message.objects.filter(patient=OuterRef("pk"), campaign=campaign, channel=channel.value)
    return (
        Patient.objects.filter(
            own,
            Exists(cleared(on).filter(patient=OuterRef("pk"))),
            ~Exists(messages.exclude(state=MessageState.STOPPED)),
        )
        .annotate(hold=hold_reason(channel, on))
        .only("id")
    )


@dataclass(frozen=True)
class Preview:
    """What a batch planned now would hold: how many would go, and how many are held by each reason."""

    to_go: int
    held: Mapping[str, int]

    @property
    def everybody(self) -> int:
        """How many messages would be queued, the held ones included."""
        return self.to_go + sum(self.held.values())


def preview(campaign: Campaign, channel: Channel, on: date, unit: Organisation | None = None) -> Preview:
    """Returns the counts of a batch that would be planned on this day, of everybody or a hospital unit's patients."""
    counts = dict(due(campaign, channel, on, unit).values_list("hold").annotate(people=Count("pk")).order_by())
    return Preview(to_go=counts.pop("", 0), held=_by_gravity(counts))


def latest_template(campaign: Campaign, channel: Channel) -> TemplateVersion | None:
    """Returns the version a batch planned now would use: the latest approved of `<campaign>-<channel>`."""
    return (
        TemplateVersion.objects.filter(
            template__slug=f"{campaign.slug}-{channel.value.lower()}", approved_at__isnull=False
        )
        .select_related("template")
        .order_by("-number")
        .first()
    )


def campaigns() -> QuerySet[Campaign]:
    """Returns every campaign, by name."""
    return Campaign.objects.order_by("name")


@dataclass(frozen=True)
class Progress:
    """How many messages of a batch are in each state. The parts make up `queued`."""

    queued: int = 0
    waiting: int = 0
    handed_over: int = 0
    stopped: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def held_total(self) -> int:
        """How many are held, whatever the reason."""
        return sum(self.held.values())

    @property
    def failed_total(self) -> int:
        """How many failed, whatever the reason."""
        return sum(self.failed.values())

    @property
    def percent(self) -> int:
        """How much of what may go has gone, in whole percent, rounded down; 100 when nothing may go."""
        may_go = self.waiting + self.handed_over
        return 100 * self.handed_over // may_go if may_go else 100


def progress(batch_ids: list[UUID]) -> dict[UUID, Progress]:
    """Returns the progress of each batch, in one query."""
    rows: dict[UUID, list[tuple[str, str, str, int]]] = {batch_id: [] for batch_id in batch_ids}
    counted = (
        Message.objects.filter(batch__in=batch_ids)
        .values_list("batch_id", "state", "hold_reason", "failure")
        .annotate(messages=Count("pk"))
        .order_by()
    )
    for batch_id, *row in counted:
        rows[batch_id].append(tuple(row))
    return {batch_id: _progress(of_batch) for batch_id, of_batch in rows.items()}


def _progress(rows: list[tuple[str, str, str, int]]) -> Progress:
    def total(*states: MessageState) -> int:
        return sum(count for state, _, _, count in rows if state in states)

    return Progress(
        queued=sum(row[3] for row in rows),
        waiting=total(*OPEN),
        handed_over=total(MessageState.HANDED_OVER),
        stopped=total(MessageState.STOPPED),
        held=_by_gravity({hold: count for state, hold, _, count in rows if state == MessageState.HELD}),
        failed={failure: count for state, _, failure, count in sorted(rows) if state == MessageState.FAILED},
    )


def batches() -> QuerySet[Batch]:
    """Returns every batch, the newest first."""
    return Batch.objects.select_related("campaign", "template_version__template", "planned_by").order_by("-planned_at")


def batch(batch_id: UUID) -> Batch | None:
    """Returns one batch with what its page shows, or None."""
    return (
        Batch.objects.select_related(
            "campaign", "template_version__template", "planned_by", "released_by", "stopped_by"
        )
        .filter(pk=batch_id)
        .first()
    )


def hand_overs(of: Batch) -> QuerySet[HandOver]:
    """Returns the files given to the supplier for a batch, the newest first."""
    return HandOver.objects.filter(batch=of).order_by("-at", "id")


def template_version(pk: int) -> TemplateVersion | None:
    """Returns a version of a template, or None."""
    return TemplateVersion.objects.select_related("template").filter(pk=pk).first()


def contact_counts(campaign: Campaign | None, on: date) -> dict[str, Any]:
    """Returns how everybody who is on the list stands with one campaign on this day, for the ledger.

    `people` (counted apart) = `contacted` + the sum of `held` + the sum of `failed` + `waiting` +
    `unreviewed` (with their practice yet) + `late` (their practice is late, and they are held back).
    Each person is in one state, the first that fits: *contacted* (handed over by any channel, or by the
    letter of a hospital unit: `contacted_by_hospitals` says how many had such a letter),
    *waiting* (a message is open), *failed* and *held* (by reason; of several holds the gravest),
    and, of those whom no batch holds, or whose message was stopped, *waiting* where they are cleared
    for contact: `not_planned` says how many of the waiting these are. `messages` counts every message
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
        "held": _by_gravity(by_state.get("HELD", {})),
        "failed": dict(sorted(by_state.get("FAILED", {}).items())),
        "waiting": sum(by_state.get("WAITING", {}).values()) + not_planned,
        "not_planned": not_planned,
        "unreviewed": sum(by_state.get("UNREVIEWED", {}).values()),
        "late": sum(by_state.get("LATE", {}).values()),
        "messages": messages,
    }


# The least of the marks decides; a mark is the state's rank, then the reason.
_STANDING = """
WITH message AS (
  SELECT patient_id, min(CASE
      WHEN state = 'HANDED_OVER' THEN '1'
      WHEN state = ANY(%(open)s) THEN '2'
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
  CASE left(mark, 1) WHEN '3' THEN substr(mark, 2)
    WHEN '4' THEN (%(gravity)s::text[])[substr(mark, 2)::int] ELSE '' END,
  count(*)
FROM cohort_listentry entry LEFT JOIN message ON message.patient_id = entry.patient_id
WHERE entry.is_on_list
GROUP BY 1, 2
"""


def first_campaign() -> Campaign | None:
    """Returns the campaign of the first advice letter, which the ledger's stage of contact is about, or None."""
    return Campaign.objects.filter(slug="first-advice").first()


def hospital_campaign() -> Campaign | None:
    """Returns the campaign of the letters that hospital units write to their own patients, or None."""
    return Campaign.objects.filter(slug="hospital-advice").first()


def batches_of(unit: Organisation) -> QuerySet[Batch]:
    """Returns the batches of a hospital unit, the newest first."""
    return Batch.objects.filter(unit=unit).select_related("planned_by").order_by("-planned_at")


def copies(by: Membership, patient_id: UUID) -> list[Message]:
    """Returns what hospital units wrote to one of a practice's people, the newest first; nothing of others'."""
    if not entries(by).filter(pk=patient_id).exists():
        return []
    sent = Message.objects.filter(patient_id=patient_id, batch__unit__isnull=False, state=MessageState.HANDED_OVER)
    return list(sent.select_related("batch__unit", "hand_over").order_by("-released_at"))


def _ids(lists: QuerySet[PracticeList]) -> list[str]:
    return [str(pk) for pk in lists.values_list("pk", flat=True)]


def _by_gravity(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason.value: counts[reason.value] for reason in HoldReason if counts.get(reason.value)}

"""Who is due for a campaign, and who has been written to. Ids and counts, no names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cohort.models import Patient, PracticeList
from cohort.queries.holds import hold_reason
from cohort.queries.hospitals import added_by
from cohort.queries.worklists import entries
from cohort.rules import Audience, Channel, HoldReason
from letters.due import about, meant_for
from letters.models import HOLD_REASONS, Batch, Campaign, Message, TemplateVersion
from letters.rules import CHANNEL_HOLDS, GONE, MessageState
from shielding.accounts.models import Membership, Organisation

HOLD_WORDS: Mapping[str, str] = dict(HOLD_REASONS)


def uk_date(at: datetime) -> date:
    """Returns the day that this moment is in, in the UK."""
    return timezone.localtime(at).date()


def gone_to(practice_list: PracticeList) -> int:
    """Returns how many people on a list a letter or text has been released to, or handed over, since it was made."""
    sent = Message.objects.filter(
        patient__entry__practice_list=practice_list,
        state__in=GONE,
    )
    if made_at := practice_list.run.finished_at:
        sent = sent.filter(released_at__gte=made_at)
    return sent.values("patient").distinct().count()


def due(campaign: Campaign, channel: Channel, on: date, unit: Organisation | None = None) -> QuerySet[Any]:
    """Returns the patients whom a campaign is about on this day, without a message of it by this channel.

    They are those whom it is meant for; of a hospital `unit`, its own alone. `hold` is why they
    must not be contacted, or ''. Ids only: for planning and counting, for no page.
    """
    own = Q(Exists(added_by(unit).filter(patient=OuterRef("pk")))) if unit else Q()
    messages = Message.objects.filter(patient=OuterRef("pk"), campaign=campaign, channel=channel.value)
    return (
        Patient.objects.filter(
            own,
            meant_for(campaign),
            Exists(about(campaign, on).filter(patient=OuterRef("pk"))),
            ~Exists(messages.exclude(state=MessageState.STOPPED)),
        )
        .annotate(hold=hold_reason(channel, on, Audience(campaign.audience)))
        .only("id")
    )


@dataclass(frozen=True)
class Preview:
    """What a batch planned now would hold: how many would go by each channel, and how many are held by each reason."""

    to_go: int
    instead: int
    held: Mapping[str, int]

    @property
    def held_total(self) -> int:
        """How many are held, whatever the reason."""
        return sum(self.held.values())

    @property
    def everybody(self) -> int:
        """How many people it is about, the held ones included."""
        return self.to_go + self.instead + self.held_total


def preview(
    campaign: Campaign, channel: Channel, on: date, unit: Organisation | None = None, fallback: Channel | None = None
) -> Preview:
    """Returns the counts of a batch that would be planned on this day, of everybody or a hospital unit's patients.

    `instead` counts those whom `channel` cannot reach, and `fallback` can.
    """
    people = due(campaign, channel, on, unit)
    counts = dict(people.values_list("hold").annotate(people=Count("pk")).order_by())
    instead: dict[str, int] = {}
    if fallback:
        messages = Message.objects.filter(patient=OuterRef("pk"), campaign=campaign, channel=fallback.value)
        reached = (
            people.filter(~Exists(messages.exclude(state=MessageState.STOPPED)), hold__in=CHANNEL_HOLDS)
            .annotate(fallback_hold=hold_reason(fallback, on, Audience(campaign.audience)))
            .filter(fallback_hold="")
        )
        instead = dict(reached.values_list("hold").annotate(people=Count("pk")).order_by())
    held = {reason: count - instead.get(reason, 0) for reason, count in counts.items() if reason}
    return Preview(to_go=counts.get("", 0), instead=sum(instead.values()), held=by_gravity(held))


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


def template_version(pk: int) -> TemplateVersion | None:
    """Returns a version of a template, or None."""
    return TemplateVersion.objects.select_related("template").filter(pk=pk).first()


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


def by_gravity(counts: Mapping[str, int]) -> dict[str, int]:
    """Returns counts by `HoldReason`, the gravest first."""
    return {reason.value: counts[reason.value] for reason in HoldReason if counts.get(reason.value)}

"""How batches stand, and what is in them. References and practices, no names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.fields import BooleanField, CharField

from cohort.models import Criterion, Flag
from cohort.rules import FactSource
from letters.models import Batch, HandOver, Message, PartialStop, Settlement
from letters.queries.people import by_gravity
from letters.rules import IN_PLAY, MessageState
from shielding.accounts.models import Organisation

SOURCE_WORDS = {
    FactSource.ALGORITHM: "The national search",
    FactSource.RISK_MODEL: "A risk model",
    FactSource.GP: "A GP practice",
    FactSource.HOSPITAL: "A hospital unit",
    FactSource.PATIENT: "The person",
}


@dataclass(frozen=True)
class Progress:
    """How many messages of a batch are in each state. The parts make up `queued`.

    `instead` are those held or failed whose person the batch's other channel reaches. `by_channel` is
    how many of each channel have been handed over, and `waiting_by_channel` how many of each still wait.
    """

    queued: int = 0
    waiting: int = 0
    in_doubt: int = 0
    handed_over: int = 0
    stopped: int = 0
    instead: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    by_channel: Mapping[str, int] = field(default_factory=dict)
    waiting_by_channel: Mapping[str, int] = field(default_factory=dict)

    @property
    def held_total(self) -> int:
        """How many are held, whatever the reason."""
        return sum(self.held.values())

    @property
    def failed_total(self) -> int:
        """How many failed, whatever the reason."""
        return sum(self.failed.values())

    @property
    def may_go(self) -> int:
        """How many have gone or may still go."""
        return self.waiting + self.in_doubt + self.handed_over

    @property
    def percent(self) -> int:
        """How much of what may go has gone, in whole percent, rounded down; 100 when nothing may go."""
        return 100 * self.handed_over // self.may_go if self.may_go else 100


@dataclass(frozen=True)
class _Row:
    state: str
    channel: str
    hold: str
    failure: str
    instead: bool
    count: int


def progress(batch_ids: Iterable[UUID]) -> dict[UUID, Progress]:
    """Returns the progress of each batch, in one query."""
    rows: dict[UUID, list[_Row]] = {batch_id: [] for batch_id in batch_ids}
    counted = Message.objects.filter(batch__in=list(rows))
    # Each part by an index of its own: the whole table holds everybody's letters of two years.
    parts = [
        _counted(counted.filter(state=state))
        for state in (MessageState.WAITING, MessageState.MAKING, MessageState.RELEASED, MessageState.IN_DOUBT)
    ]
    parts.append(_counted(counted.filter(state__in=[MessageState.HANDED_OVER, MessageState.STOPPED])))
    parts.append(
        _counted(
            counted.filter(state__in=[MessageState.HELD, MessageState.FAILED]),
            hold=F("hold_reason"),
            why=F("failure"),
            instead=Case(
                When(~Q(batch__fallback_channel=""), then=reached_otherwise()),
                default=Value(False),
                output_field=BooleanField(),
            ),
        )
    )
    for batch_id, *row in parts[0].union(*parts[1:], all=True):
        rows[batch_id].append(_Row(*row))
    return {batch_id: _progress(of_batch) for batch_id, of_batch in rows.items()}


def _counted(messages: QuerySet[Message], **reasons: Any) -> Any:
    empty = Value("", output_field=CharField())
    named = {"hold": empty, "why": empty, "instead": Value(False, output_field=BooleanField()), **reasons}
    annotated: QuerySet[Any] = messages.annotate(**named)
    return (
        annotated.values_list("batch_id", "state", "channel", "hold", "why", "instead")
        .annotate(messages=Count("pk"))
        .order_by()
    )


def _progress(rows: list[_Row]) -> Progress:
    def total(*states: MessageState) -> int:
        return sum(row.count for row in rows if row.state in states)

    def reasons(state: MessageState, name: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for row in rows:
            if row.state == state and not row.instead:
                reason = getattr(row, name)
                counts[reason] = counts.get(reason, 0) + row.count
        return dict(sorted(counts.items()))

    def by_channel(*states: MessageState) -> dict[str, int]:
        counts: dict[str, int] = {}
        for row in rows:
            if row.state in states:
                counts[row.channel] = counts.get(row.channel, 0) + row.count
        return counts

    waiting = (MessageState.WAITING, MessageState.MAKING, MessageState.RELEASED)
    return Progress(
        queued=sum(row.count for row in rows),
        waiting=total(*waiting),
        in_doubt=total(MessageState.IN_DOUBT),
        handed_over=total(MessageState.HANDED_OVER),
        stopped=total(MessageState.STOPPED),
        instead=sum(row.count for row in rows if row.instead),
        held=by_gravity(reasons(MessageState.HELD, "hold")),
        failed=reasons(MessageState.FAILED, "failure"),
        by_channel=by_channel(MessageState.HANDED_OVER),
        waiting_by_channel=by_channel(*waiting),
    )


def reached_otherwise() -> Exists:
    """Returns, over `Message`, whether its person has another message of the same batch that goes or has gone."""
    others = Message.objects.filter(batch=OuterRef("batch"), patient=OuterRef("patient"), state__in=IN_PLAY)
    return Exists(others.exclude(pk=OuterRef("pk")))


def batches() -> QuerySet[Batch]:
    """Returns every batch, the newest first."""
    return Batch.objects.select_related("campaign", "template_version__template", "planned_by").order_by("-planned_at")


def batch(batch_id: UUID) -> Batch | None:
    """Returns one batch with what its page shows, or None."""
    return (
        Batch.objects.select_related(
            "campaign",
            "template_version__template",
            "fallback_version__template",
            "planned_by",
            "approved_by",
            "released_by",
            "stopped_by",
        )
        .filter(pk=batch_id)
        .first()
    )


def hand_overs(of: Batch) -> QuerySet[HandOver]:
    """Returns the files given to the supplier for a batch, the newest first."""
    return HandOver.objects.filter(batch=of).order_by("-at", "id")


def partial_stops(of: Batch) -> QuerySet[PartialStop]:
    """Returns the parts of a batch that were stopped, the newest first."""
    return PartialStop.objects.filter(batch=of).select_related("by").order_by("-at", "-pk")


def part_of(messages: QuerySet[Message], kind: PartialStop.Kind, value: str) -> QuerySet[Message]:
    """Returns those messages whose people belong to a practice (its id), a disease group or a source."""
    match kind:
        case PartialStop.Kind.PRACTICE:
            return messages.filter(patient__practice=UUID(value))
        case PartialStop.Kind.GROUP:
            standing = {"ended_in": None, "criterion_version__criterion__disease_group": value}
            flags = Flag.objects.filter(patient=OuterRef("patient"), **standing)
            return messages.filter(Exists(flags))
        case PartialStop.Kind.SOURCE:
            return messages.filter(patient__entry__because__source=value)


def name_of_part(kind: PartialStop.Kind, value: str) -> str | None:
    """Returns what a part of a batch is called, or None where there is no such part."""
    match kind:
        case PartialStop.Kind.PRACTICE:
            practice = Organisation.objects.filter(pk=value, kind=Organisation.Kind.PRACTICE).first()
            return f"{practice.name} ({practice.code})" if practice else None
        case PartialStop.Kind.GROUP:
            return value if value in disease_groups() else None
        case PartialStop.Kind.SOURCE:
            return SOURCE_WORDS.get(FactSource(value)) if value in {*FactSource} else None


def practice_by_code(code: str) -> Organisation | None:
    """Returns a GP practice, or None."""
    return Organisation.objects.filter(kind=Organisation.Kind.PRACTICE, code=code.strip().upper()).first()


def disease_groups() -> list[str]:
    """Returns the disease groups of the high-risk tier, by name."""
    groups = Criterion.objects.filter(tier=Criterion.Tier.HIGH).order_by("disease_group")
    return list(groups.values_list("disease_group", flat=True).distinct())


def messages(
    of: Batch, *, state: str = "", practice: Organisation | None = None, after: UUID | None = None, limit: int
) -> list[Message]:
    """Returns a batch's messages in order of id, from after one on, at most so many; of one state or practice alone."""
    found = Message.objects.filter(batch=of)
    if state:
        found = found.filter(state=state)
    if practice:
        found = found.filter(patient__practice=practice)
    if after:
        found = found.filter(pk__gt=after)
    settled = Prefetch("settlements", Settlement.objects.select_related("by").order_by("attempt"))
    return list(found.select_related("patient__practice", "supplier").prefetch_related(settled).order_by("pk")[:limit])


def message(of: Batch, message_id: UUID) -> Message | None:
    """Returns one message of a batch, or None."""
    return Message.objects.filter(batch=of, pk=message_id).select_related("supplier", "hand_over").first()

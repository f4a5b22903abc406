"""What the estimate of arrival is made of, counted: queues by area, what suppliers took, and ages by step.

Counts, no names. Four statements, however many messages there are; none needs an index of its own
(docs/letters.md says what they take). `letters.actions.arrivals` has them counted once for all who ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import holidays
from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from cohort.rules import Channel
from letters.due import cleared
from letters.estimating import FEWEST_RECEIPTS, Supply, ahead_of_last, assumptions, expected, pace
from letters.models import Message, Supplier, SupplierDay
from letters.queries.people import first_campaign, uk_date
from letters.rules import MessageState

#: The transports whose suppliers say what became of each message.
WITH_RECEIPTS = (Supplier.Transport.PRINT, Supplier.Transport.NOTIFY)
#: The measure of delivery is taken of so many of the latest receipts.
LATEST_RECEIPTS = 50_000

# One pass over what is open: by practice for the queue, by step for the ages. A message waits since its batch
# was released; before that it waits for a person. The practices' areas are not joined here: without fresh
# statistics PostgreSQL would go through every open message once a practice.
_OPEN = """
SELECT patient.practice_id, message.channel, message.state, batch.state IN ('RELEASED', 'FINISHED') AS goes,
  count(*), min(message.queued_at),
  min(CASE message.state
    WHEN 'WAITING' THEN greatest(message.queued_at, batch.released_at)
    WHEN 'MAKING' THEN message.lease_until ELSE message.released_at END) AS since,
  count(*) FILTER (WHERE CASE message.state
    WHEN 'WAITING' THEN greatest(message.queued_at, batch.released_at) < %(WAITING)s
    WHEN 'MAKING' THEN message.lease_until < %(MAKING)s
    WHEN 'RELEASED' THEN message.released_at < %(RELEASED)s
    ELSE message.released_at < %(IN_DOUBT)s END)
FROM letters_message message JOIN letters_batch batch ON batch.id = message.batch_id
JOIN cohort_patient patient ON patient.id = message.patient_id
WHERE message.state IN ('WAITING', 'MAKING', 'RELEASED', 'IN_DOUBT')
GROUP BY 1, 2, 3, 4
"""
_GONE = """
SELECT supplier_id, count(*) FILTER (WHERE released_at > %(a_day_ago)s),
  min(released_at) FILTER (WHERE released_at > %(a_day_ago)s), max(released_at),
  count(*) FILTER (WHERE state = 'HANDED_OVER' AND delivery = ''),
  count(*) FILTER (WHERE state = 'HANDED_OVER' AND delivery = '' AND released_at < %(no_receipt)s),
  min(released_at) FILTER (WHERE state = 'HANDED_OVER' AND delivery = '')
FROM letters_message WHERE released_at IS NOT NULL AND supplier_id IS NOT NULL GROUP BY 1
"""
_DELIVERY = """
SELECT message.supplier_id, receipt.status, count(*),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM receipt.at - message.released_at) / 86400)
FROM (SELECT message_id, attempt, status, at FROM letters_receipt ORDER BY id DESC LIMIT %s) receipt
JOIN letters_message message ON message.id = receipt.message_id AND message.attempt = receipt.attempt
WHERE receipt.status IN ('DELIVERED', 'DISPATCHED') AND message.released_at <= receipt.at
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Area:
    """One care system: its letters that wait, and the day on which the last of them should be at the door.

    `to_plan` are its people who are to have a letter that is in no batch yet. `expected_date` is of a letter
    validated now, None where no day can be told.
    """

    id: UUID | None
    name: str
    waiting: int
    to_plan: int
    oldest_at: datetime | None
    last_date: date | None
    expected_date: date | None


@dataclass(frozen=True)
class Step:
    """One step of the outbox: how many are in it, since when the oldest, and how many for longer than they may."""

    name: str
    state: MessageState
    channel: Channel
    count: int
    oldest_at: datetime | None
    limit: timedelta
    too_old: int

    @property
    def limit_seconds(self) -> int:
        """How long a message may be in it."""
        return int(self.limit.total_seconds())

    @property
    def limit_words(self) -> str:
        """How long a message may be in it, in hours or minutes."""
        hours = self.limit / timedelta(hours=1)
        number, unit = (hours, "hour") if hours >= 1 else (hours * 60, "minute")
        return f"{number:g} {unit}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Arrivals:
    """When a letter validated at this moment should arrive, by area, and what is late at which step."""

    at: datetime
    expected_date: date | None
    assumptions: list[str]
    areas: list[Area]
    steps: list[Step]

    @property
    def alarms(self) -> list[Step]:
        """The steps in which something waits longer than it may."""
        return [step for step in self.steps if step.too_old]


STEPS = {
    MessageState.WAITING: "Waiting in a released batch",
    MessageState.MAKING: "Being made, past the worker's lease",
    MessageState.RELEASED: "Released, not yet handed over",
    MessageState.IN_DOUBT: "In doubt: the supplier has not said whether it has it",
    MessageState.HANDED_OVER: "Handed over, without a word from a supplier that gives receipts",
}


def arrivals(at: datetime) -> Arrivals:
    """Returns the estimate for this moment, the area with most waiting first."""
    limits = {step: at - limit for step, limit in settings.AGE_LIMITS.items()}
    opened = _rows(_OPEN, {name: limits[name] for name in ("WAITING", "MAKING", "RELEASED", "IN_DOUBT")})
    gone = _rows(_GONE, {"a_day_ago": at - timedelta(days=1), "no_receipt": limits["HANDED_OVER"]})
    supply = _supply(at, {row[0]: row[1:4] for row in gone})
    area_of = dict(_rows("SELECT id, ics_id FROM accounts_organisation WHERE ics_id IS NOT NULL", {}))
    waiting: dict[UUID | None, int] = {}
    oldest: dict[UUID | None, datetime] = {}
    for practice, channel, _, _, count, queued_at, _, _ in opened:
        if channel != Channel.LETTER:
            continue
        ics = area_of.get(practice)
        waiting[ics] = waiting.get(ics, 0) + count
        oldest[ics] = min(oldest.get(ics, queued_at), queued_at)
    to_plan = _to_plan(at, area_of)
    local, days_off = timezone.localtime(at), _bank_holidays(at)
    ahead = sum(waiting.values()) + sum(to_plan.values())
    expected_date = expected(ahead, supply, local, days_off)
    names = dict(_rows("SELECT id, name FROM accounts_organisation WHERE kind = 'ICS' AND closed_date IS NULL", {}))
    areas = [
        Area(
            ics,
            names.get(ics, "No care system"),
            count := waiting.get(ics, 0),
            to_plan.get(ics, 0),
            oldest.get(ics),
            expected(ahead_of_last(count, waiting.values()), supply, local, days_off) if count else None,
            expected_date,
        )
        for ics in {*names, *waiting, *to_plan}
    ]
    areas.sort(key=lambda area: (-area.waiting, area.name))
    return Arrivals(at, expected_date, assumptions(ahead, supply), areas, _steps(opened, gone))


def _supply(at: datetime, gone: Mapping[int, tuple[int, datetime | None, datetime]]) -> Supply:
    """Returns what is known of the supplier of letters in use."""
    supplier = Supplier.objects.filter(channel=Channel.LETTER.value, in_use=True).first()
    if supplier is None:
        return Supply("The supplier, which is not set up yet,")
    hours = (
        (supplier.takes_from, supplier.takes_until)
        if supplier.takes_from is not None and supplier.takes_until is not None
        else None
    )
    count, first, last = gone.get(supplier.pk, (0, None, None))
    taken = SupplierDay.objects.filter(supplier=supplier, day=uk_date(at)).values_list("taken", flat=True).first()
    measured = {
        status: days
        for supplier_id, status, receipts, days in _rows(_DELIVERY, [LATEST_RECEIPTS])
        if supplier_id == supplier.pk and receipts >= FEWEST_RECEIPTS
    }
    return Supply(
        name=supplier.name,
        a_day=supplier.daily_capacity,
        taken_today=taken or 0,
        an_hour=pace(count, timezone.localtime(first), timezone.localtime(last), hours) if first and last else None,
        hours=hours,
        days_to_deliver=supplier.days_to_deliver,
        delivered_after=measured.get("DELIVERED"),
        dispatched_after=measured.get("DISPATCHED"),
    )


def _to_plan(at: datetime, area_of: Mapping[UUID, UUID | None]) -> dict[UUID | None, int]:
    """Returns, by area, how many are cleared for their first letter and in no batch."""
    campaign = first_campaign()
    if campaign is None:
        return {}
    theirs = Message.objects.filter(patient=OuterRef("patient"), campaign=campaign, channel=Channel.LETTER.value)
    found = cleared(uk_date(at)).filter(~Exists(theirs.exclude(state=MessageState.STOPPED)))
    areas: dict[UUID | None, int] = {}
    for practice, people in found.values_list("patient__practice").annotate(people=Count("pk")).order_by():
        ics = area_of.get(practice)
        areas[ics] = areas.get(ics, 0) + people
    return areas


def _steps(opened: list[Any], gone: list[Any]) -> list[Step]:
    counts: dict[tuple[MessageState, Channel], list[tuple[int, datetime | None, int]]] = {
        (state, channel): [] for state in STEPS for channel in Channel
    }
    for _, channel, state, goes, count, _, since, late in opened:
        if state != MessageState.WAITING or goes:
            counts[MessageState(state), Channel(channel)].append((count, since, late))
    channels = dict(Supplier.objects.filter(transport__in=WITH_RECEIPTS).values_list("pk", "channel"))
    for supplier_id, _, _, _, count, late, since in gone:
        if supplier_id in channels:
            counts[MessageState.HANDED_OVER, Channel(channels[supplier_id])].append((count, since, late))
    return [
        Step(
            name=STEPS[state],
            state=state,
            channel=channel,
            count=sum(count for count, _, _ in rows),
            oldest_at=min((since for _, since, _ in rows if since), default=None),
            limit=settings.AGE_LIMITS[state.value],
            too_old=sum(late for _, _, late in rows),
        )
        for (state, channel), rows in counts.items()
    ]


def _bank_holidays(at: datetime) -> frozenset[date]:
    year = uk_date(at).year
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=[year, year + 1, year + 2]))


def _rows(sql: str, values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())

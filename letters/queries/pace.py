"""How fast a batch went lately and what its messages wait for. Counts, no names."""

from datetime import datetime, time

from django.conf import settings
from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

from cohort.rules import Channel
from letters.estimating import Supply
from letters.models import Batch, HandOver, Message, Supplier, SupplierDay
from letters.pace import MEASURED, Line, Pace, outlook
from letters.queries.batches import Progress
from letters.queries.people import uk_date
from letters.rules import BatchState, MessageState

_NOUNS = {Channel.LETTER: "letters", Channel.SMS: "texts"}


def outlook_of(batch: Batch, progress: Progress, at: datetime) -> list[str]:
    """Returns how fast a batch goes, what it waits for and how long the rest takes; nothing where none goes."""
    waiting = {Channel(channel): count for channel, count in progress.waiting_by_channel.items()}
    if batch.state != BatchState.RELEASED or batch.released_at is None or not waiting:
        return []
    local = timezone.localtime(at)
    return outlook([_line(batch, channel, count, at) for channel, count in waiting.items()], _pace(batch, at), local)


def _pace(batch: Batch, at: datetime) -> Pace:
    """Returns how many of a released batch went in the last minutes: in files, and one by one."""
    since = max(at - MEASURED, batch.released_at or at)
    in_files = HandOver.objects.filter(batch=batch, at__gte=since).aggregate(count=Sum("count"))["count"] or 0
    one_by_one = Message.objects.filter(
        batch=batch, state=MessageState.HANDED_OVER, hand_over__isnull=True, released_at__gte=since
    ).count()
    return Pace(in_files + one_by_one, at - since)


def _line(batch: Batch, channel: Channel, waiting: int, at: datetime) -> Line:
    suppliers = Supplier.objects.filter(channel=channel.value)
    supplier = suppliers.filter(in_use=True).first()
    if supplier is None:
        # Where there has never been one, the first claim makes a folder.
        folder = Supply("The folder", hours=_hours(channel))
        return Line(_NOUNS[channel], waiting, None if suppliers.exists() else folder)
    taken = SupplierDay.objects.filter(supplier=supplier, day=uk_date(at)).values_list("taken", flat=True).first()
    hours = _hours(channel, supplier)
    older = Message.objects.filter(batch=OuterRef("pk"), channel=channel.value, state=MessageState.WAITING)
    return Line(
        noun=_NOUNS[channel],
        waiting=waiting,
        supply=Supply(supplier.name, supplier.daily_capacity, taken or 0, hours=hours),
        rests_until=timezone.localtime(supplier.rests_until) if supplier.rests_until else None,
        is_behind=Batch.objects.filter(
            Exists(older), state=BatchState.RELEASED, released_at__lt=batch.released_at
        ).exists(),
    )


def _hours(channel: Channel, supplier: Supplier | None = None) -> tuple[time, time] | None:
    """Returns when a channel's messages may go: in its supplier's hours, and texts in those of texts too."""
    own = (
        [(supplier.takes_from, supplier.takes_until)]
        if supplier and supplier.takes_from is not None and supplier.takes_until is not None
        else []
    )
    both = [*own, *([settings.TEXT_HOURS] if channel is Channel.SMS else [])]
    return (max(start for start, _ in both), min(end for _, end in both)) if both else None

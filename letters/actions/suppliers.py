"""Which supplier a channel's messages are released to, whether it takes any now, and how many more today."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from cohort.rules import Channel
from letters.models import Supplier, SupplierDay
from letters.queries import uk_date
from letters.rules import is_between, rest_seconds

#: Stands for as many as we can make, where a supplier has no daily capacity.
NO_LIMIT = 2**31 - 1
#: However long a supplier asks to be left alone, it is asked again after this many seconds.
LONGEST_REST = 3_600


class Place(NamedTuple):
    """A supplier that takes messages now, and how many more today."""

    supplier: Supplier
    room: int


def supplier_for(channel: Channel) -> Supplier | None:
    """Returns the supplier in use for a channel; None where an administrator has put all of them out of use.

    Where there has never been one, a folder is made, so that a new installation works.
    """
    of_channel = Supplier.objects.filter(channel=channel.value)
    if in_use := of_channel.filter(in_use=True).first():
        return in_use
    return None if of_channel.exists() else _folder(channel)


def supplier_of(supplier_id: int | None, channel: Channel) -> Supplier:
    """Returns whom a message was released to. What was released before there were suppliers is in the folder."""
    return Supplier.objects.get(pk=supplier_id) if supplier_id else _folder(channel)


def _folder(channel: Channel) -> Supplier:
    folder, _ = Supplier.objects.get_or_create(
        slug=f"folder-{channel.value.lower()}",
        defaults={
            "name": f"Folder of {'letters' if channel is Channel.LETTER else 'texts'}",
            "channel": channel.value,
            "transport": Supplier.Transport.FOLDER,
            "in_use": not Supplier.objects.filter(channel=channel.value, in_use=True).exists(),
        },
    )
    return folder


def taking(channel: Channel, *, at: datetime) -> Place | None:
    """Returns the supplier that takes this channel's messages at this moment, or None."""
    supplier = supplier_for(channel)
    if supplier is None or is_resting(supplier, at=at) or not is_open(supplier, at=at):
        return None
    taken = SupplierDay.objects.filter(supplier=supplier, day=uk_date(at)).values_list("taken", flat=True).first()
    room = _room(supplier, taken or 0)
    return Place(supplier, room) if room else None


def is_open(supplier: Supplier, *, at: datetime) -> bool:
    """Returns whether it is within the supplier's hours and, for texts, within `settings.TEXT_HOURS`."""
    uk_time = timezone.localtime(at).time()
    if supplier.channel == Channel.SMS and not is_between(uk_time, *settings.TEXT_HOURS):
        return False
    if supplier.takes_from is None or supplier.takes_until is None:
        return True
    return is_between(uk_time, supplier.takes_from, supplier.takes_until)


def is_resting(supplier: Supplier, *, at: datetime) -> bool:
    """Returns whether it has said "later", and that is not yet."""
    return supplier.rests_until is not None and at < supplier.rests_until


def is_limited(supplier: Supplier) -> bool:
    """Returns whether it takes only so many a day."""
    return supplier.daily_capacity is not None


def lock_room(supplier: Supplier, *, at: datetime) -> int:
    """Returns how many more a supplier takes today. Where that is limited, others wait until the transaction ends."""
    if supplier.daily_capacity is None:
        return NO_LIMIT
    today = {"supplier": supplier, "day": uk_date(at)}
    SupplierDay.objects.bulk_create([SupplierDay(**today)], ignore_conflicts=True)
    return _room(supplier, SupplierDay.objects.select_for_update().get(**today).taken)


def count_as_taken(supplier: Supplier, count: int, *, at: datetime) -> None:
    """Counts what was released to a supplier today."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO letters_supplierday AS today (supplier_id, day, taken) VALUES (%s, %s, %s)"
            " ON CONFLICT (supplier_id, day) DO UPDATE SET taken = today.taken + excluded.taken",
            [supplier.pk, uk_date(at), count],
        )


def give_back(supplier: Supplier, count: int, *, at: datetime) -> None:
    """Takes back from the day's count what was released at this moment and not taken after all."""
    SupplierDay.objects.filter(supplier=supplier, day=uk_date(at)).update(taken=Greatest(F("taken") - count, 0))


@transaction.atomic
def let_rest(supplier: Supplier, *, at: datetime, after_seconds: float | None = None, borne: int = 0) -> bool:
    """Counts a setback and leaves the supplier alone for a while; returns whether it rests.

    For as long as it says, else twice as long after each setback in a row beyond those that are `borne`.
    """
    now = Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    now.setbacks += 1
    seconds = rest_seconds(now.setbacks - borne) if after_seconds is None else min(after_seconds, LONGEST_REST)
    now.rests_until = max(filter(None, [now.rests_until, at + timedelta(seconds=seconds)]))
    now.save(update_fields=["setbacks", "rests_until"])
    return seconds > 0


def well_again(supplier: Supplier) -> None:
    """Forgets a supplier's setbacks: it has taken something."""
    Supplier.objects.filter(pk=supplier.pk, setbacks__gt=0).update(setbacks=0, rests_until=None)


def _room(supplier: Supplier, taken: int) -> int:
    return NO_LIMIT if supplier.daily_capacity is None else max(supplier.daily_capacity - taken, 0)

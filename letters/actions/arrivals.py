"""Keeps the last count of when letters arrive, for everybody who asks within some minutes.

The counting reads every open message and everybody on the list, so it is made once for all of them; it says at which
moment it was made. Kept in the cache, which is a table: what is lost is counted again.
"""

import hashlib
from dataclasses import fields
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction

from letters.actions.locks import wait_to_be_alone
from letters.queries.arrivals import Area, Arrivals, Step, arrivals

#: So old a count may be when it is shown.
SHOWN_FOR = timedelta(minutes=5)
#: With the shape of what is kept: code that wants another one does not meet it.
_SHAPE = " ".join(field.name for kind in (Arrivals, Area, Step) for field in fields(kind))
_KEY = f"letters.arrivals.{hashlib.sha256(_SHAPE.encode()).hexdigest()[:16]}"


def count_arrivals(*, at: datetime) -> Arrivals:
    """Counts and keeps the estimate for this moment; returns it."""
    found = arrivals(at)
    cache.set(_KEY, found, SHOWN_FOR.total_seconds())
    return found


def latest_arrivals(*, at: datetime) -> Arrivals:
    """Returns the last count, if that is not too old; else counts, while others who ask wait for this count."""
    if found := _kept(at):
        return found
    with transaction.atomic():
        wait_to_be_alone("count arrivals")
        return _kept(at) or count_arrivals(at=at)


def _kept(at: datetime) -> Arrivals | None:
    found: Arrivals | None = cache.get(_KEY)
    return found if found and timedelta(0) <= at - found.at <= SHOWN_FOR else None

"""One worker: works the outbox until nothing may go, then waits to be woken by Redis, for ever. It gets killed."""

import logging
import time

#: Short, so that a minute of chaos meets what half an hour of production would.
LEASE_SECONDS = 6
CALL_SECONDS = 2
WAKE = "chaos-wake"


def run() -> None:
    """Works for ever. Whatever PostgreSQL, Redis or a supplier do, it goes on."""
    import redis
    from django.conf import settings
    from django.db import Error, connection
    from django.utils import timezone

    from tests.chaos.preload import notify, outbox, printer

    logging.getLogger("letters").setLevel(logging.CRITICAL)
    notify.TIMEOUT_SECONDS = CALL_SECONDS
    printer.TIMEOUT = (CALL_SECONDS, CALL_SECONDS)
    while True:
        try:
            outbox.work(clock=timezone.now, lease_seconds=LEASE_SECONDS)
        except Error:
            connection.close()
            time.sleep(0.2)
        try:
            redis.Redis.from_url(settings.REDIS_URL).blpop([WAKE], timeout=1)
        except redis.RedisError:
            time.sleep(0.2)

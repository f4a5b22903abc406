"""Where GOV.UK Notify calls us back: delivery receipts, and letters that came back. No session, a token instead.

Notify tries again, five times over 25 minutes, whatever we do not answer with success. So news that we
know already, or of messages that we do not have, is answered with success, and a busy row with "later".
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from letters.actions.receipts import record
from letters.transports.contract import Event
from letters.transports.notify.statuses import read_callback, read_returned

logger = logging.getLogger(__name__)

MOST_BYTES = 20_000


@csrf_exempt
@login_not_required
def notify(request: HttpRequest) -> HttpResponse:
    """Records a delivery receipt."""
    return _record(request, lambda said, at: read_callback(said))


@csrf_exempt
@login_not_required
def notify_returned(request: HttpRequest) -> HttpResponse:
    """Records that a letter came back."""
    return _record(request, lambda said, at: read_returned(said, at=at))


def _record(request: HttpRequest, read: Callable[[Any, datetime], Event]) -> HttpResponse:
    token = settings.NOTIFY_CALLBACK_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not constant_time_compare(given, token):
        return _refuse(401, "The token is not ours")
    if request.method != "POST":
        return _refuse(405, "Only POST is for this address")
    length = request.headers.get("Content-Length", "")
    if len(length) > 9 or (length.isdecimal() and int(length) > MOST_BYTES):
        return _refuse(413, "The body is too long")
    at = timezone.now()
    try:
        event = read(json.loads(request.body), at)
    except (ValueError, RecursionError) as error:
        reason = "The body is not JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)
        logger.warning("A callback of GOV.UK Notify cannot be read: %s", reason)
        return _refuse(400, reason)
    try:
        with transaction.atomic():
            # The message may be in the middle of being sent: Notify had better come again than hold a web worker.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            recorded = record([event], at=at)
    except OperationalError:
        logger.warning("A callback of GOV.UK Notify has to come again: the database is busy")
        return _refuse(503, "Come again later")
    if recorded.unknown:
        logger.warning("GOV.UK Notify speaks of a message that we do not have")
    return JsonResponse({"new": recorded.new})


def _refuse(status: int, reason: str) -> HttpResponse:
    return JsonResponse({"error": reason}, status=status)

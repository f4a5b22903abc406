"""Gives texts and letters to GOV.UK Notify, by its own client, and asks it about them.

Notify takes the same reference twice, so nothing is ever sent again by itself: an answer that leaves
open whether it was taken is InDoubt, and `look_up` is how to find out. It remembers seven days.
"""

import io
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from notifications_python_client.errors import APIError, HTTPError
from notifications_python_client.notifications import NotificationsAPIClient

from letters.contents import Text
from letters.pdf_pages import taken_out
from letters.transports.contract import Event, Item, OneCallEach
from letters.transports.errors import InDoubt, Refused, TransportError, TryLater
from letters.transports.http import kept, retry_after, was_never_sent
from letters.transports.notify.statuses import read_notification

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20
_NO_KEY = "-".join(["none", *["00000000-0000-0000-0000-000000000000"] * 2])
#: How long Notify can be asked about a message.
REMEMBERS = timedelta(days=7)
#: After our own account, key or template turned out to be wrong, and after the day's allowance is used.
SETTINGS_WRONG_SECONDS = 300.0
ALLOWANCE_USED_SECONDS = 3600.0
#: What is in Notify's words when this one message cannot go, and what we say of it.
_REFUSALS = (
    ("phone_number", "GOV.UK Notify does not send texts to this number"),
    ("longer than", "The text is too long for GOV.UK Notify"),
    ("valid PDF", "GOV.UK Notify could not read the letter's PDF"),
)
#: What is in Notify's words when our account, key or template is at fault: no message fails for that.
_SETTINGS_WRONG = (
    "trial mode",
    "team",
    "Template",
    "Missing personalisation",
    "not allowed",
    "permission",
)


class Notify(OneCallEach):
    """GOV.UK Notify with the settings' key."""

    remembers = REMEMBERS

    def __init__(self) -> None:
        # Without a key Notify refuses everything, which says so loudly and fails no message.
        self._client = kept(_client, settings.NOTIFY_API_KEY or _NO_KEY, settings.NOTIFY_BASE_URL, TIMEOUT_SECONDS)

    def send(self, item: Item) -> str:
        """Gives Notify one text or letter; returns its id there. Raises Refused, TryLater and InDoubt."""
        _keep_to_rate()
        try:
            if isinstance(item.content, Text):
                answer = self._client.send_sms_notification(
                    phone_number=item.content.number,
                    template_id=settings.NOTIFY_SMS_TEMPLATE_ID,
                    personalisation={"text": item.content.text},
                    reference=item.reference,
                )
            else:
                answer = self._client.send_precompiled_letter_notification(
                    reference=item.reference, pdf_file=io.BytesIO(taken_out(item.content))
                )
            return str(answer["id"])
        except HTTPError as error:
            raise _error(error, item.reference) from error
        except (APIError, KeyError, TypeError) as error:
            raise InDoubt(f"{item.reference}: GOV.UK Notify's answer cannot be read") from error

    def look_up(self, reference: str) -> Event | None:
        """Returns what Notify says of this reference, or None where it has none. Raises TryLater."""
        found = self._page(reference=reference)
        return _event(found[0]) if found else None

    def news(self, *, since: datetime) -> Iterator[Event]:
        """Yields what Notify says of everything it was given since then and remembers, the newest first.

        Callbacks can be lost, and letters have none. Raises TryLater.
        """
        page = self._page()
        while page:
            for said in page:
                if datetime.fromisoformat(said["created_at"]) < since:
                    return
                if said.get("reference"):
                    yield _event(said)
            page = self._page(older_than=page[-1]["id"])

    def _page(self, **which: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self._client.get_all_notifications(**which)["notifications"]
            return found
        except (APIError, KeyError, TypeError) as error:
            raise TryLater("GOV.UK Notify cannot be asked") from error


def _client(key: str, base_url: str, timeout: int) -> Any:
    client: Any = NotificationsAPIClient  # which has no types
    made = client(key, base_url=base_url, timeout=timeout)
    # Asked of the environment once: requests would look for proxies and certificates at every call.
    session = made.request_session
    found = session.merge_environment_settings(base_url, {}, False, None, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False
    return made


def _event(said: dict[str, Any]) -> Event:
    try:
        return read_notification(said, provider_id=str(said["id"]))
    except (ValueError, KeyError) as error:
        raise TryLater(f"GOV.UK Notify's answer cannot be read: {error}") from error


def _error(error: HTTPError, reference: str) -> TransportError:
    """Tells what a failed call means. The client calls it 503, without an answer, when none came at all."""
    answer = error.response
    if answer is None:
        if was_never_sent(error):
            return TryLater("GOV.UK Notify cannot be reached")
        return InDoubt(f"{reference}: GOV.UK Notify did not answer")
    status, said = answer.status_code, _said(answer)
    if status == 429:
        used = "TooManyRequestsError" in said
        return TryLater("GOV.UK Notify takes no more now", ALLOWANCE_USED_SECONDS if used else retry_after(answer))
    if status == 503 and said:
        return TryLater("GOV.UK Notify takes nothing now", retry_after(answer))
    if not 400 <= status < 500:
        return InDoubt(f"{reference}: GOV.UK Notify answered {status}")
    for words, reason in _REFUSALS:
        if words in said:
            return Refused(reason)
    if status in {401, 403, 404} or any(words in said for words in _SETTINGS_WRONG):
        logger.error("GOV.UK Notify takes nothing from us: look at our account, key and template there (%s)", status)
        return TryLater("GOV.UK Notify does not accept our settings", SETTINGS_WRONG_SECONDS)
    return Refused(f"GOV.UK Notify refused it ({status})")


def _said(answer: Any) -> str:
    """Returns the errors of Notify's own error body as one text, '' where a gateway answered."""
    try:
        return " ".join(f"{each['error']}: {each['message']}" for each in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return ""


def _keep_to_rate() -> None:
    """Waits until this second has room, over all workers. Raises TryLater where it has none for long.

    Counted in Redis: losing the counts is harmless, since Notify then says itself that it is too much.
    """
    room = max(1, settings.NOTIFY_RATE_PER_MINUTE // 60)
    for _ in range(5):
        now = time.time()
        try:
            counts = kept(redis.Redis.from_url, settings.REDIS_URL)
            key = f"notify-sent:{int(now)}"
            with counts.pipeline() as both:
                both.incr(key)
                both.expire(key, 10)
                sent, _ = both.execute()
        except (redis.RedisError, ValueError):
            logger.warning("No Redis to count what goes to GOV.UK Notify")
            return
        if sent <= room:
            return
        time.sleep(1 - now % 1)
    raise TryLater("GOV.UK Notify's rate is used", 1)

"""What transports over HTTP share: connections that stay open, and whether a failed call can have got through."""

import ssl
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import requests
import urllib3

T = TypeVar("T")
_of_thread = threading.local()


def kept(make: Callable[..., T], *arguments: Hashable) -> T:
    """Returns what `make` makes of these arguments, once a thread: a new connection for each call is slow."""
    made: dict[Any, Any] = _of_thread.__dict__.setdefault("made", {})
    if (make, *arguments) not in made:
        made[(make, *arguments)] = make(*arguments)
    found: T = made[(make, *arguments)]
    return found


def was_never_sent(error: BaseException) -> bool:
    """Returns whether a request surely never left: no connection, or none that could be trusted."""
    return any(
        isinstance(
            each,
            requests.ConnectTimeout
            | urllib3.exceptions.NewConnectionError
            | urllib3.exceptions.ConnectTimeoutError
            | ssl.SSLCertVerificationError,
        )
        for each in _causes(error)
    )


def retry_after(answer: requests.Response) -> float | None:
    """Returns the seconds of an answer's Retry-After, or None."""
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isascii() and seconds.isdecimal() else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walks through an error and what it wraps: requests wraps urllib3's, which wraps the socket's."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]

"""What tests of the outbox look at and do: the states of a batch, the supplier's folder, a worker that dies."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from pypdf import PdfReader

from letters.actions import outbox
from letters.models import Batch, Message
from letters.rules import read_reference
from tests.letters.factories import NOON

LATER = NOON + timedelta(seconds=outbox.LEASE_SECONDS + 1)


def states(batch: Batch) -> Counter[str]:
    return Counter(Message.objects.filter(batch=batch).values_list("state", flat=True))


def work(at: datetime = NOON) -> int:
    """Sweeps, finishes and works, as the task does, at a given moment."""
    return outbox.work(clock=lambda: at)


def noon() -> datetime:
    """A clock that stands still."""
    return NOON


def sent() -> list[str]:
    """Returns the message id of every letter and text in the supplier's folder."""
    ids = []
    for manifest in Path(settings.HANDOVER_FOLDER).glob("*/*/manifest.json"):
        references = [entry["reference"] for entry in json.loads(manifest.read_text())["messages"]]
        ids += [str(read_reference(each)[0]) for each in references]
    return ids


def printed() -> str:
    """Returns the words of every page in the supplier's folder."""
    words = []
    for whole in sorted(Path(settings.HANDOVER_FOLDER).glob("*/*/letters.zip")):
        with zipfile.ZipFile(whole) as archive:
            for name in archive.namelist():
                pages = PdfReader(io.BytesIO(archive.read(name))).pages
                words += [" ".join(page.extract_text().split()) for page in pages]
    return "\n".join(words)


def sent_once() -> bool:
    """Returns whether everybody handed over is in exactly one file, and nobody else is in any."""
    handed_over = {str(id_) for id_ in Message.objects.filter(state="HANDED_OVER").values_list("id", flat=True)}
    return Counter(sent()) == Counter(handed_over)


class Killed(BaseException):
    """The worker died here."""


@contextmanager
def dying_after(owner: Any, name: str, monkeypatch: Any, *, before: bool = False) -> Iterator[None]:
    """Lets the worker die as soon as it has called (or, `before`, instead of calling) `owner.name`."""
    real: Callable[..., Any] = getattr(owner, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        if not before:
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dying)
        yield

"""The files that practices send, kept from the preview to the decision.

Each is for whoever sent it alone, in a private folder of the server, until they decide or for a day.
"""

import os
import time
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings

from shielding.accounts.models import Membership

KEPT_SECONDS = 24 * 60 * 60


def keep(by: Membership, list_id: UUID, content: bytes) -> UUID:
    """Keeps a file, for nobody but this process's user to read, and returns its id."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sweep()
    upload_id = uuid4()
    descriptor = os.open(kept_at(by, list_id, upload_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return upload_id


def kept_at(by: Membership, list_id: UUID, upload_id: UUID) -> Path:
    """Returns where a file is kept, or was: nobody else's request comes to the same place."""
    return _folder() / f"{by.organisation_id}-{by.user_id}-{list_id}-{upload_id}"


def sweep() -> None:
    """Removes files that nobody has decided about for a day."""
    for old in _folder().glob("*"):
        try:
            if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                old.unlink()
        except FileNotFoundError:  # another process was quicker
            continue


def _folder() -> Path:
    return Path(settings.RUN_FOLDER) / "practice-sheets"

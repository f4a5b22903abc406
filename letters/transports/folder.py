"""The folder transport: a folder per hand-over, which a print supplier or SMS provider collects.

`<HANDOVER_FOLDER>/<batch id>/<hand-over id>/` holds the batch file and its manifest (see `files`). It
is written under a temporary name and renamed, so it is there whole or not at all, and its name is the
hand-over's id: finishing a hand-over twice gives one folder. The supplier copies, and does not move,
what it collects.
"""

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from letters.transports.contract import Item, Receipt, WholeHandOvers
from letters.transports.files import LETTERS, MANIFEST, batch_file, letter_of, read_manifest


class Folder(WholeHandOvers):
    """Folders below `settings.HANDOVER_FOLDER`."""

    def find(self, *, key: UUID, batch_id: UUID) -> Receipt | None:
        """Returns what is in the folder of this key, or None."""
        folder = _folder(key=key, batch_id=batch_id)
        return read_manifest((folder / MANIFEST).read_bytes()) if folder.is_dir() else None

    def hand_over(self, items: Iterable[Item], *, key: UUID, batch_id: UUID) -> Receipt:
        """Writes the folder, unless it is there already, and returns what is in it."""
        file = batch_file(items, key=key, batch_id=batch_id)
        target = _folder(key=key, batch_id=batch_id)
        temporary = target.with_name(f".{key}.{uuid.uuid4()}")
        temporary.mkdir(parents=True)
        _write_durably(temporary / file.name, file.data)
        _write_durably(temporary / MANIFEST, file.manifest)
        _sync(temporary)
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        _sync(target.parent)
        for left_over in target.parent.glob(f".{key}.*"):  # of a worker that died while it wrote
            shutil.rmtree(left_over, ignore_errors=True)
        return read_manifest((target / MANIFEST).read_bytes())

    def read_letter(self, reference: str, *, key: UUID, batch_id: UUID) -> bytes | None:
        """Returns one letter's pages as a PDF, or None where the folder has it no more."""
        folder = _folder(key=key, batch_id=batch_id)
        try:
            with (folder / LETTERS).open("rb") as archive:
                return letter_of(archive, (folder / MANIFEST).read_bytes(), reference)
        except FileNotFoundError:
            return None


def _folder(*, key: UUID, batch_id: UUID) -> Path:
    return Path(settings.HANDOVER_FOLDER) / str(batch_id) / str(key)


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""The extract store: one folder an extract, made whole under another name and renamed at the end.

    <store>/.loading-<id>/     while it is being made
    <store>/<id>/              patients.parquet, records.parquet, rejected/*.csv
    <store>/<id>/.unfinished   from before the renaming until the Extract row is committed

A folder without that mark is never removed, row or no row: the store may be older or newer than the
database, after a restore for one.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

LOADING = ".loading-"
UNFINISHED = ".unfinished"
REJECTED = "rejected"


def fingerprint(paths: Iterable[Path], *, salt: str = "") -> str:
    """Returns the SHA-256 of the files' names and contents, as 64 hex digits. `salt` tells readings apart."""
    whole = hashlib.sha256(salt.encode())
    for path in sorted(paths):
        with path.open("rb") as file:
            whole.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def begin(store: Path, extract_id: UUID) -> Path:
    """Makes and returns the folder an extract is made in."""
    folder = store / f"{LOADING}{extract_id}"
    folder.mkdir(parents=True)
    return folder


def finish(store: Path, extract_id: UUID, made: Path) -> None:
    """Puts the folder `made` in its place, safe on disk and marked unfinished."""
    (made / UNFINISHED).touch()
    for path in [*made.rglob("*"), made]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    made.rename(store / str(extract_id))
    discard_loading(store, extract_id)


def confirm(store: Path, extract_id: UUID) -> None:
    """Takes the mark off: the Extract row is committed."""
    (store / str(extract_id) / UNFINISHED).unlink(missing_ok=True)


def discard(store: Path, extract_id: UUID) -> None:
    """Removes all there is of an extract that was not finished."""
    folder = store / str(extract_id)
    if (folder / UNFINISHED).exists():
        # Renamed first, so that a crash half way does not leave a folder that has lost its mark.
        folder.rename(store / f"{LOADING}{extract_id}-discarded")
    discard_loading(store, extract_id)


def discard_loading(store: Path, extract_id: UUID) -> None:
    """Removes the folders an extract was made in."""
    for folder in store.glob(f"{LOADING}{extract_id}*"):
        shutil.rmtree(folder, ignore_errors=True)


def unfinished(store: Path) -> Iterator[UUID]:
    """Yields the ids of extracts that are being made, or were when their process died."""
    if not store.is_dir():
        return
    names = {path.name.removeprefix(LOADING)[:36] for path in store.glob(f"{LOADING}*")}
    names |= {path.parent.name for path in store.glob(f"*/{UNFINISHED}")}
    for name in sorted(names):
        try:
            yield UUID(name)
        except ValueError:
            continue

"""The extract store: one folder an extract, made whole under another name and renamed at the end.

    <store>/.loading-<id>/     while it is being made
    <store>/<id>/              patients-<k>-of-<n>.parquet, records-<k>-of-<n>.parquet, rejected/*.csv,
                               fingerprints-<k>-of-<n>.parquet, changed.parquet,
                               changed-{records,patients}-<k>-of-<n>.parquet (changes.py)
    <store>/<id>/.unfinished   from before the renaming until the Extract row is committed

A person's rows are in shard k = NHS number % n, in three digits: `records-000-of-001.parquet`.
A folder without that mark is never removed, row or no row: the store may be older or newer than the
database, after a restore for one.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

LOADING = ".loading-"
UNFINISHED = ".unfinished"
REJECTED = "rejected"
_SHARD = re.compile(r"-\d{3}-of-\d{3}\.parquet$")


def fingerprint(paths: Iterable[Path], *, salt: str = "") -> str:
    """Returns the SHA-256 of the files' names and contents, as 64 hex digits. `salt` tells readings apart."""
    whole = hashlib.sha256(salt.encode())
    for path in sorted(paths):
        with path.open("rb") as file:
            whole.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def shard_name(table: str, shard: int, shards: int) -> str:
    """Returns the name of one shard's file of a table."""
    return f"{table}-{shard:03d}-of-{shards:03d}.parquet"


def shard_paths(folder: Path, table: str) -> list[Path]:
    """Returns the files of a table in an extract's folder, in the order of the shards; none where it has none."""
    return sorted(path for path in folder.glob(f"{table}-*-of-*.parquet") if _SHARD.search(path.name))


def shard_of(folder: Path, table: str, person: int) -> Path | None:
    """Returns the file that holds a person's rows of a table, or None where the extract has none of that table."""
    paths = shard_paths(folder, table)
    return paths[person % len(paths)] if paths else None


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

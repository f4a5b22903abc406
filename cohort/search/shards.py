"""The files of extracts as the search reads them: shard by shard, everybody's rows in one shard.

A shard of a search takes file k of an extract in n shards, k being its number modulo n. Where extracts
were made with different numbers of shards the search has as many as the most, and picks its own
people out of the larger files.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<table>(changed-)?(patients|records))-(?P<number>\d{3})-of-(?P<count>\d{3})\.parquet")


@dataclass(frozen=True)
class File:
    """One Parquet file. `picks` where it holds people of other shards too; `slot` is its supplier's number."""

    path: Path
    picks: bool
    slot: int = 0


@dataclass(frozen=True)
class Shard:
    """What one shard of a search reads: `patients` newest first, and `records`.

    It has the people whose number modulo `count` is `number`.
    """

    number: int
    count: int
    patients: tuple[File, ...]
    records: tuple[File, ...]

    @property
    def name(self) -> str:
        """What its files are called by: `003-of-032`."""
        return f"{self.number:03}-of-{self.count:03}"


def shards(extracts: Sequence[Path], slots: Mapping[str, int] | None = None, *, together: int = 1) -> list[Shard]:
    """Returns the shards of a search over the folders of extracts, given newest first; none without files.

    `slots` gives the slot of each folder by its name; without it the slots are in the folders' order. So
    many shards as `together` says, a power of two, are made one.
    """
    found = [each for n, folder in enumerate(extracts) for each in _found(folder, slots[folder.name] if slots else n)]
    total = max((each.count for each in found), default=0)
    total = max(total // together, min(total, 1))
    return [
        Shard(number, total, _files(found, "patients", number, total), _files(found, "records", number, total))
        for number in range(total)
    ]


def have_people_in_common(number: int, count: int, other: int, other_count: int) -> bool:
    """Says whether shard `number` of `count` and shard `other` of `other_count`, both powers of two, do."""
    return number % min(count, other_count) == other % min(count, other_count)


def changed_files(folder: Path, table: str, slot: int, shard: Shard) -> tuple[File, ...]:
    """Returns the files of an extract's changed people's rows of a table that a shard reads."""
    return _files(_found(folder, slot), f"changed-{table}", shard.number, shard.count)


def every_file(extracts: Iterable[Path], table: str) -> list[Path]:
    """Returns the files of a table (`patients` or `records`), those of the first extract first."""
    return [path for folder in extracts for path in sorted(folder.glob(f"{table}-*-of-*.parquet"))]


@dataclass(frozen=True)
class _Found:
    path: Path
    table: str
    number: int
    count: int
    slot: int


def _found(folder: Path, slot: int) -> list[_Found]:
    names = ((path, _NAME.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return [_Found(path, m["table"], int(m["number"]), int(m["count"]), slot) for path, m in names if m]


def _files(found: Iterable[_Found], wanted: str, number: int, total: int) -> tuple[File, ...]:
    return tuple(
        File(each.path, each.count < total, each.slot)
        for each in found
        if each.table == wanted and have_people_in_common(each.number, each.count, number, total)
    )

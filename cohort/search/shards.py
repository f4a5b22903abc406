"""The files of extracts as the search reads them: shard by shard, everybody's rows in one shard.

A shard of a search takes file k of an extract in n shards, k being its number modulo n. Where extracts
were made with different numbers of shards the search has as many as the most, and picks its own
people out of the larger files.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<table>patients|records)-(?P<number>\d{3})-of-(?P<count>\d{3})\.parquet")


@dataclass(frozen=True)
class File:
    """One Parquet file. `picks` where it holds people of other shards too."""

    path: Path
    picks: bool


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


def shards(extracts: Iterable[Path]) -> list[Shard]:
    """Returns the shards of a search over the folders of extracts, given newest first; none without files."""
    found: list[tuple[Path, str, int, int]] = []
    for folder in extracts:
        for path in sorted(folder.iterdir()):
            if match := _NAME.fullmatch(path.name):
                found.append((path, match["table"], int(match["number"]), int(match["count"])))
    total = max((count for *_, count in found), default=0)
    return [
        Shard(number, total, _files(found, "patients", number, total), _files(found, "records", number, total))
        for number in range(total)
    ]


def every_file(extracts: Iterable[Path], table: str) -> list[Path]:
    """Returns the files of a table (`patients` or `records`), those of the first extract first."""
    return [path for folder in extracts for path in sorted(folder.glob(f"{table}-*-of-*.parquet"))]


def _files(found: Sequence[tuple[Path, str, int, int]], wanted: str, number: int, total: int) -> tuple[File, ...]:
    return tuple(
        File(path, picks=count < total)
        for path, table, own, count in found
        if table == wanted and own == number % count
    )

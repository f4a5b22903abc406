"""NDJSON files as batches of lines, each with its number: what JSON readers do not tell.

Memory stays bounded whatever the size of the file. Nothing is parsed here but the ends of lines.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cohort.extracts.mappings.shared import CannotMap

BLOCK_BYTES = 16 << 20
LONGEST_LINE_BYTES = 64 << 20
#: How much of a line that cannot be read is given back.
SHOWN = 2_000


@dataclass
class Lines:
    """Some lines of a file: `line` (from 1) and `text`, beside the numbers and texts of those that are not UTF-8."""

    rows: pa.Table
    bad: list[tuple[int, str]]


def lines_of(path: Path) -> Iterator[Lines]:
    """Yields every line that is not empty once, in order. Raises CannotMap for a file that is cut short."""
    first, rest = 1, b""
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            while True:
                block = stream.read(BLOCK_BYTES)
                data = rest + block
                end = data.rfind(b"\n") + 1 if block else len(data)
                rest = data[end:]
                if len(rest) > LONGEST_LINE_BYTES:
                    raise CannotMap([f"{path.name}: a line after line {first:,} is longer than 64 MB."])
                if end:
                    texts = data[:end].split(b"\n")
                    if not texts[-1]:
                        texts.pop()
                    yield _batch(texts, first)
                    first += len(texts)
                if not block:
                    return
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CannotMap(
            [f"{path.name}: the gzip file is damaged or cut short; nothing of it can be trusted. Send it again."]
        ) from error


def _batch(texts: list[bytes], first: int) -> Lines:
    if first == 1 and texts[0].startswith(b"\xef\xbb\xbf"):
        texts[0] = texts[0][3:]
    numbers = range(first, first + len(texts))
    bad: list[tuple[int, str]] = []
    try:
        column = pa.array(texts, pa.string())
    except pa.ArrowInvalid:
        decoded: list[str | None] = []
        for number, text in zip(numbers, texts, strict=True):
            try:
                decoded.append(text.decode())
            except UnicodeDecodeError:
                decoded.append(None)
                bad.append((number, text.decode("utf-8", "replace")[:SHOWN]))
        column = pa.array(decoded, pa.string())
    return Lines(pa.table({"line": pa.array(numbers, pa.int64()), "text": column}), bad)

"""The batch file and manifest that suppliers get: letters in a zip file, or texts line by line. Ids only in both names.

The manifest is a JSON object: `hand_over`, `batch`, `file`, `count`, `sha256` of the whole file, and
`messages`, each with `reference`, `format`, `language`, `sha256`, and `file` where it has one of its own.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from letters.contents import Text
from letters.transports.contract import Item, Receipt

MANIFEST = "manifest.json"
LETTERS = "letters.zip"
TEXTS = "texts.jsonl"


@dataclass(frozen=True)
class BatchFile:
    """One file of many messages, and the manifest that says what is in it. The same messages make the same bytes."""

    name: str
    data: bytes
    manifest: bytes


def batch_file(items: Iterable[Item], *, key: UUID, batch_id: UUID) -> BatchFile:
    """Makes the file of some letters, or of some texts, in order of reference."""
    entries: list[dict[str, Any]] = []
    lines: list[bytes] = []
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for item in sorted(items, key=lambda item: item.reference):
            entry = {"reference": item.reference, "format": item.format.value, "language": item.language}
            if isinstance(item.content, Text):
                data = _line(item.reference, item.content)
                lines.append(data)
            else:
                data = item.content
                entry["file"] = f"{item.reference}.pdf"
                # ZipInfo's fixed date: the same letters make the same bytes.
                target.writestr(zipfile.ZipInfo(entry["file"]), data)
            entries.append({**entry, "sha256": hashlib.sha256(data).hexdigest()})
    name, whole = (TEXTS, b"".join(lines)) if lines else (LETTERS, archive.getvalue())
    manifest = {
        "hand_over": str(key),
        "batch": str(batch_id),
        "file": name,
        "count": len(entries),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "messages": entries,
    }
    return BatchFile(name, whole, json.dumps(manifest, indent=1).encode())


def read_manifest(data: bytes) -> Receipt:
    """Returns what a manifest says. Raises ValueError or KeyError where it is none."""
    manifest = json.loads(data)
    return Receipt(
        file_name=f"{manifest['batch']}/{manifest['hand_over']}/{manifest['file']}",
        sha256=manifest["sha256"],
        references=frozenset(entry["reference"] for entry in manifest["messages"]),
    )


def _line(reference: str, text: Text) -> bytes:
    return json.dumps({"reference": reference, **asdict(text)}, ensure_ascii=False).encode() + b"\n"

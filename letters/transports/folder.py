"""The folder transport: a folder per hand-over, which a print supplier or SMS provider collects.

`<HANDOVER_FOLDER>/<batch id>/<hand-over id>/` holds `letters.zip` (one `<message id>.pdf` each) or
`texts.jsonl`, and `manifest.json` with the count, the message ids, and the SHA-256 of each entry and
of the whole file. It is written under a temporary name and renamed, so it is there whole or not at
all, and its name is the hand-over's id: finishing a hand-over twice gives one folder. File names and
manifest hold ids only. The supplier copies, and does not move, what it collects.
"""

import hashlib
import io
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from letters.contents import Text

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Receipt:
    """What the folder holds: its name below HANDOVER_FOLDER, the SHA-256 of the whole file, and whose it is."""

    file_name: str
    sha256: str
    message_ids: frozenset[UUID]


def find(*, key: UUID, batch_id: UUID) -> Receipt | None:
    """Returns what the supplier already has under this hand-over id, or None."""
    folder = _folder(key=key, batch_id=batch_id)
    if not folder.is_dir():
        return None
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Receipt(
        file_name=f"{batch_id}/{key}/{manifest['file']}",
        sha256=manifest["sha256"],
        message_ids=frozenset(UUID(entry["id"]) for entry in manifest["messages"]),
    )


def read_letter(message_id: UUID, *, key: UUID | None, batch_id: UUID) -> bytes | None:
    """Returns one letter's PDF as it was handed over, or None where the folder has it no more."""
    if key is None:
        return None
    try:
        with zipfile.ZipFile(_folder(key=key, batch_id=batch_id) / "letters.zip") as archive:
            return archive.read(f"{message_id}.pdf")
    except (FileNotFoundError, KeyError):
        return None


def hand_over_letters(letters: Mapping[UUID, bytes], *, key: UUID, batch_id: UUID) -> Receipt:
    """Writes PDFs by message id and returns the receipt; what is there already under this id stays as it is."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for message_id in sorted(letters):
            # ZipInfo's fixed date: the same letters make the same bytes.
            target.writestr(zipfile.ZipInfo(f"{message_id}.pdf"), letters[message_id])
    entries = ((message_id, f"{message_id}.pdf", letters[message_id]) for message_id in sorted(letters))
    return _write("letters.zip", archive.getvalue(), entries, key=key, batch_id=batch_id)


def hand_over_texts(texts: Mapping[UUID, Text], *, key: UUID, batch_id: UUID) -> Receipt:
    """Writes one JSON line for each text (id, number, text, fragments) and returns the receipt, as for letters."""
    lines = {
        message_id: json.dumps({"id": str(message_id), **asdict(texts[message_id])}, ensure_ascii=False).encode()
        + b"\n"
        for message_id in sorted(texts)
    }
    entries = ((message_id, "", line) for message_id, line in lines.items())
    return _write("texts.jsonl", b"".join(lines.values()), entries, key=key, batch_id=batch_id)


def _write(
    name: str, whole: bytes, entries: Iterable[tuple[UUID, str, bytes]], *, key: UUID, batch_id: UUID
) -> Receipt:
    messages = [
        {"id": str(message_id), **({"file": file} if file else {}), "sha256": hashlib.sha256(data).hexdigest()}
        for message_id, file, data in entries
    ]
    manifest = {
        "hand_over": str(key),
        "batch": str(batch_id),
        "file": name,
        "count": len(messages),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "messages": messages,
    }
    target = _folder(key=key, batch_id=batch_id)
    temporary = target.with_name(f".{key}.{uuid.uuid4()}")
    temporary.mkdir(parents=True)
    _write_durably(temporary / name, whole)
    _write_durably(temporary / MANIFEST, json.dumps(manifest, indent=1).encode())
    _sync(temporary)
    try:
        temporary.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    _sync(target.parent)
    for left_over in target.parent.glob(f".{key}.*"):  # of a worker that died while it wrote
        shutil.rmtree(left_over, ignore_errors=True)
    receipt = find(key=key, batch_id=batch_id)
    if receipt is None:
        raise FileNotFoundError(f"{batch_id}/{key}")
    return receipt


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

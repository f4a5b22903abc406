"""The batch file and manifest that suppliers get: letters in a zip file, or texts line by line. Ids only in both names.

The zip file has PDFs of letters of one format and language. The manifest is a JSON object: `hand_over`, `batch`,
`file`, `count`, `sha256` of the whole file, `pdfs` (each with `file`, `sha256` and `pages`), and `messages`, each with
`reference`, `format`, `language`, and of a letter `file`, `first_page` and `last_page`, of a text `sha256` of its line.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any
from uuid import UUID

from pypdfium2 import PdfiumError

from letters.contents import Text
from letters.pdf_pages import Pages, taken_out
from letters.transports.contract import Item, Receipt
from letters.transports.errors import HandOverMismatch

MANIFEST = "manifest.json"
LETTERS = "letters.zip"
TEXTS = "texts.jsonl"


@dataclass(frozen=True)
class BatchFile:
    """One file of many messages, and the manifest that says what is in it. The same messages make the same bytes."""

    name: str
    data: bytes
    manifest: bytes


@dataclass(frozen=True)
class _Contents:
    """What a batch file holds, and what its manifest says of it."""

    name: str
    data: bytes
    messages: Sequence[Mapping[str, Any]]
    pdfs: Sequence[Mapping[str, Any]] = ()


def batch_file(items: Iterable[Item], *, key: UUID, batch_id: UUID) -> BatchFile:
    """Makes the file of some letters, or of some texts, in order of reference.

    Raises ValueError where a PDF has a page of a letter that is not among them: it would be printed too.
    """
    texts, letters = [], []
    for item in sorted(items, key=lambda item: item.reference):
        if isinstance(item.content, Text):
            texts.append((item, item.content))
        else:
            letters.append((item, item.content))
    made = _of_texts(texts) if texts else _of_letters(letters)
    manifest = {
        "hand_over": str(key),
        "batch": str(batch_id),
        "file": made.name,
        "count": len(made.messages),
        "sha256": hashlib.sha256(made.data).hexdigest(),
        "pdfs": made.pdfs,
        "messages": made.messages,
    }
    return BatchFile(made.name, made.data, json.dumps(manifest, indent=1).encode())


def _of_texts(texts: Iterable[tuple[Item, Text]]) -> _Contents:
    lines = [(item, _line(item.reference, text)) for item, text in texts]
    messages = [_message(item) | {"sha256": hashlib.sha256(line).hexdigest()} for item, line in lines]
    return _Contents(TEXTS, b"".join(line for _, line in lines), messages)


def _of_letters(letters: Iterable[tuple[Item, Pages]]) -> _Contents:
    messages: list[dict[str, Any]] = []
    pdfs: dict[int, dict[str, Any]] = {}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for item, pages in letters:
            # By identity: a father and son of one name may have PDFs of their own with the same bytes.
            if id(pages.pdf) not in pdfs:
                name = f"{len(pdfs) + 1:03}-{item.format.lower().replace('_', '-')}-{item.language}.pdf"
                # ZipInfo's fixed date: the same letters make the same bytes.
                target.writestr(zipfile.ZipInfo(name), pages.pdf)
                digest = hashlib.sha256(pages.pdf).hexdigest()
                pdfs[id(pages.pdf)] = {"file": name, "sha256": digest, "pages": pages.of}
            where = {"file": pdfs[id(pages.pdf)]["file"], "first_page": pages.first, "last_page": pages.last}
            messages.append(_message(item) | where)
    for pdf in pdfs.values():
        _check_whole(pdf, [each for each in messages if each["file"] == pdf["file"]])
    return _Contents(LETTERS, archive.getvalue(), messages, list(pdfs.values()))


def _check_whole(pdf: Mapping[str, Any], letters: Iterable[Mapping[str, Any]]) -> None:
    pages = sorted(n for each in letters for n in range(each["first_page"], each["last_page"] + 1))
    if pages != list(range(1, pdf["pages"] + 1)):
        raise ValueError(f"{pdf['file']} has pages of letters that are not handed over.")


def _message(item: Item) -> dict[str, Any]:
    return {"reference": item.reference, "format": item.format.value, "language": item.language}


def letter_of(archive: IO[bytes], manifest: bytes, reference: str) -> bytes | None:
    """Returns one letter's pages out of a batch file, as a PDF, or None where it is not there.

    Raises HandOverMismatch where what the supplier has kept cannot be read.
    """
    try:
        said = json.loads(manifest)
        entry = next((each for each in said["messages"] if each["reference"] == reference and "file" in each), None)
        if entry is None:
            return None
        with zipfile.ZipFile(archive) as source:
            pdf = source.read(entry["file"])
        if "first_page" not in entry:  # handed over when each letter had a PDF of its own
            return pdf
        of = {each["file"]: each["pages"] for each in said["pdfs"]}[entry["file"]]
        return taken_out(Pages(pdf, entry["first_page"], entry["last_page"], of))
    except (ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile, PdfiumError) as error:
        raise HandOverMismatch(f"{reference}: what the supplier has kept of it cannot be read") from error


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

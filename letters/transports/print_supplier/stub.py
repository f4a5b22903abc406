"""A print supplier of ours for tests: takes hand-overs as docs/letters.md says, and writes receipts.

It checks what a real one checks: the manifest against the file, that letters are PDFs, and that it has
none of the references in another file. What it took it keeps in a temporary folder, so that 20,000
letters need no memory. `python -m letters.transports.print_supplier.stub --port 8081` runs it.

On top of what every stub can be told: `POST /statuses/` with a list of `reference`, `status`, `at`, `reason`
writes a receipt file of them; `POST /receipts/` puts whatever it is sent there as a receipt file.
"""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from letters.transports.stubs import Answer, Asked, Misbehaviour, NoAnswer, Stub, serve

FORMATS = {"STANDARD", "LARGE_PRINT", "EASY_READ", "BRAILLE", "AUDIO"}


@dataclass
class PrintMisbehaviour(Misbehaviour):
    """Besides: receipts of hand-overs with a `wrong_count`, or that `lose_one` of their letters."""

    wrong_count: bool = False
    lose_one: bool = False


class PrintStub(Stub):
    """A stub print supplier. `accepted` has one entry a letter: reference, hand_over, format, language, at."""

    behaviour = PrintMisbehaviour
    how: PrintMisbehaviour

    def __init__(self, port: int = 0) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="print-stub-"))
        for name in ("hand-overs", "receipts/read"):
            (self._folder / name).mkdir(parents=True)
        self._hand_over_of: dict[str, str] = {}
        self._receipts = 0
        super().__init__(port)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        shutil.rmtree(self._folder, ignore_errors=True)

    def write_receipt(self, receipt: Any) -> None:
        """Puts a receipt file where the client finds it: bytes as they are, anything else as JSON."""
        data = receipt if isinstance(receipt, bytes) else json.dumps(receipt).encode()
        with self.lock:
            self._receipts += 1
            (self._folder / "receipts" / f"{self._receipts:08}.json").write_bytes(data)

    def answer_own(self, asked: Asked) -> Answer:
        """Answers MKCOL, PUT, GET and MOVE below hand-overs and receipts."""
        if (asked.method, asked.path) == ("POST", "/statuses/"):
            self.write_receipt({"statuses": asked.json()})
            return Answer(201)
        if (asked.method, asked.path) == ("POST", "/receipts/"):
            self.write_receipt(asked.body)
            return Answer(201)
        if not asked.headers.get("Authorization", "").startswith("Basic "):
            return Answer(401, {"error": "Who are you?"}, {"WWW-Authenticate": "Basic"})
        path = self._path(asked.path)
        match asked.method:
            case "MKCOL":
                path.mkdir()
                return Answer(201)
            case "PUT" if path.parent.is_dir():
                path.write_bytes(asked.body)
                return Answer(201)
            case "PUT":
                return Answer(409, {"error": "No such folder"})
            case "GET" if path == self._folder / "receipts":
                return Answer(200, sorted(each.name for each in path.iterdir() if each.is_file()))
            case "GET" if path.is_file():
                return Answer(200, path.read_bytes())
            case "MOVE" if path.exists():
                target = self._path(urlsplit(asked.headers["Destination"]).path)
                if path.is_file():
                    path.replace(target)
                    return Answer(201)
                return self._take(path, target)
        return Answer(404, {"error": "Not here"})

    def _path(self, address: str) -> Path:
        path = (self._folder / address.strip("/")).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise NoAnswer
        return path

    def _take(self, source: Path, target: Path) -> Answer:
        fate = self.fate()
        match fate:
            case "refuse":
                return Answer(422, {"error": "We do not like this file"})
            case "too_many":
                return Answer(429, {"error": "Slower, please"}, {"Retry-After": "1"})
            case "error":
                return Answer(500, b"Server error")
            case "unavailable":
                return Answer(503, b"Service unavailable", {"Retry-After": "1"})
            case "drop":
                raise NoAnswer
            case "hang":
                raise self.hang()
        answer = self._accept(source, target)
        match fate:
            case "error_after":
                return Answer(500, b"Server error")
            case "drop_after":
                raise NoAnswer
            case "hang_after":
                raise self.hang()
        return answer

    def _accept(self, source: Path, target: Path) -> Answer:
        manifest, complaint = _check(source)
        if complaint:
            return Answer(422, {"error": complaint})
        with self.lock:
            if target.exists():
                return Answer(412, {"error": "We have a hand-over of this name"})
            references = [entry["reference"] for entry in manifest["messages"]]
            if had := [each for each in references if each in self._hand_over_of]:
                return Answer(409, {"error": "We have these in another file", "references": had})
            source.rename(target)
            self._hand_over_of |= dict.fromkeys(references, target.name)
            at = datetime.now(UTC).isoformat()
            self.accepted += [
                {key: entry[key] for key in ("reference", "format", "language")} | {"hand_over": target.name, "at": at}
                for entry in manifest["messages"]
            ]
        said = references[1:] if self.how.lose_one else references
        self.write_receipt(
            {
                "hand_over": target.name,
                "count": len(said) + self.how.wrong_count,
                "sha256": manifest["sha256"],
                "references": said,
                "at": at,
                "statuses": [{"reference": each, "status": "accepted", "at": at} for each in said],
            }
        )
        return Answer(201)


def _check(folder: Path) -> tuple[dict[str, Any], str]:
    """Returns the manifest, and what is wrong with the hand-over in this folder, or ''."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        whole = (folder / manifest["file"]).read_bytes()
        entries = manifest["messages"]
        if hashlib.sha256(whole).hexdigest() != manifest["sha256"]:
            return manifest, "The file is not the one of the manifest"
        if manifest["count"] != len(entries):
            return manifest, "The count is not that of the messages"
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            if archive.namelist() != [each["file"] for each in manifest["pdfs"]]:
                return manifest, "The file holds other PDFs than the manifest"
            for each in manifest["pdfs"]:
                pdf = archive.read(each["file"])
                if not pdf.startswith(b"%PDF-") or hashlib.sha256(pdf).hexdigest() != each["sha256"]:
                    return manifest, f"{each['file']} is no PDF, or not that of the manifest"
                if complaint := _check_letters(each, [entry for entry in entries if entry["file"] == each["file"]]):
                    return manifest, complaint
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        return {}, f"The hand-over cannot be read: {type(error).__name__}"
    return manifest, ""


def _check_letters(pdf: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """Returns what is wrong with the letters of a PDF, or ''."""
    if len({(entry["format"], entry["language"]) for entry in entries}) != 1:
        return f"{pdf['file']} mixes formats or languages"
    if entries[0]["format"] not in FORMATS or not entries[0]["language"]:
        return f"{pdf['file']} is wanted in a format that we do not make"
    pages = sorted(n for entry in entries for n in range(entry["first_page"], entry["last_page"] + 1))
    if pages != list(range(1, pdf["pages"] + 1)):
        return f"{pdf['file']} has pages of no letter, or of two"
    return ""


if __name__ == "__main__":
    serve(PrintStub)

"""Gives letters to a print supplier over HTTP, and reads what it says of them.

Below the supplier's address, `hand-overs/<key>/` is a hand-over: the batch file and its manifest (see
`files`). We write it under a temporary name, which begins with a dot, and rename it: MOVE with
`Overwrite: F`, so that of two workers under one key one wins, and what is there is whole. `receipts/`
lists receipt files as JSON; one that we have recorded is moved to `receipts/read/`.

All is idempotent by key: whatever happens, the same hand-over may be given again.
"""

import io
import json
import logging
import uuid
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import requests
from django.conf import settings

from letters.transports.contract import Item, Receipt, WholeHandOvers
from letters.transports.errors import HandOverMismatch, Refused, TransportError, TryLater
from letters.transports.files import LETTERS, MANIFEST, batch_file, letter_of, read_manifest
from letters.transports.http import kept, retry_after

logger = logging.getLogger(__name__)

#: Seconds to connect, and between two bytes of an answer.
TIMEOUT = (5, 30)


class PrintSupplier(WholeHandOvers):
    """The print supplier of the settings."""

    def __init__(self) -> None:
        self._base = settings.PRINT_SUPPLIER_URL.rstrip("/")
        self._session = kept(_session, settings.PRINT_SUPPLIER_USER, settings.PRINT_SUPPLIER_PASSWORD)

    def find(self, *, key: UUID, batch_id: UUID) -> Receipt | None:
        """Returns what the supplier has under this key, or None. Raises TryLater and HandOverMismatch."""
        answer = self._call("GET", f"hand-overs/{key}/{MANIFEST}", missing=True)
        if answer.status_code == 404:
            return None
        try:
            return read_manifest(answer.content)
        except (ValueError, KeyError, TypeError) as error:
            raise HandOverMismatch(f"Hand-over {key}: the supplier's manifest cannot be read") from error

    def hand_over(self, items: Iterable[Item], *, key: UUID, batch_id: UUID) -> Receipt:
        """Uploads, renames, and returns what the supplier has under the key. Raises as `WholeHandOvers` says."""
        file = batch_file(items, key=key, batch_id=batch_id)
        temporary = f"hand-overs/.{key}.{uuid.uuid4()}"
        self._call("MKCOL", f"{temporary}/")
        self._call("PUT", f"{temporary}/{file.name}", data=file.data)
        self._call("PUT", f"{temporary}/{MANIFEST}", data=file.manifest)
        answer = self._move(f"{temporary}/", f"hand-overs/{key}/", overwrite=False)
        if answer.status_code not in {409, 412}:
            return read_manifest(file.manifest)
        there = self.find(key=key, batch_id=batch_id)
        if there is None:
            raise HandOverMismatch(f"Hand-over {key}: the supplier has some of its messages in another file")
        return there

    def read_letter(self, reference: str, *, key: UUID, batch_id: UUID) -> bytes | None:
        """Returns one letter's pages as a PDF, or None where the supplier has it no more. Raises TryLater."""
        answers = [self._call("GET", f"hand-overs/{key}/{name}", missing=True) for name in (LETTERS, MANIFEST)]
        if any(answer.status_code == 404 for answer in answers):
            return None
        letters, manifest = (answer.content for answer in answers)
        return letter_of(io.BytesIO(letters), manifest, reference)

    def new_receipts(self) -> Iterator[tuple[str, Any]]:
        """Yields each receipt file's name and JSON that is not acknowledged; None for what is not JSON.

        Raises TryLater.
        """
        try:
            names = [str(name) for name in self._call("GET", "receipts/").json()]
        except (ValueError, TypeError) as error:
            raise TryLater("The print supplier's list of receipts cannot be read") from error
        for name in names:
            try:
                yield name, json.loads(self._call("GET", f"receipts/{name}").content)
            except ValueError:
                yield name, None

    def acknowledge(self, name: str) -> None:
        """Puts a receipt file among those read: it is not listed again. Raises TryLater."""
        self._move(f"receipts/{name}", f"receipts/read/{name}", overwrite=True)

    def _move(self, source: str, target: str, *, overwrite: bool) -> requests.Response:
        headers = {"Destination": f"{self._base}/{target}", "Overwrite": "T" if overwrite else "F"}
        return self._call("MOVE", source, headers=headers, taken=not overwrite)

    def _call(
        self, method: str, path: str, *, missing: bool = False, taken: bool = False, **more: Any
    ) -> requests.Response:
        """Returns a good answer, a 404 where it may be `missing`, and a 409 or 412 where it may be `taken`."""
        address = f"{self._base}/{path}"
        try:
            answer = self._session.request(method, address, timeout=TIMEOUT, allow_redirects=False, **more)
        except requests.RequestException as error:
            raise TryLater(f"The print supplier did not answer: {type(error).__name__}") from error
        allowed = {404} if missing else {409, 412} if taken else set()
        if 200 <= answer.status_code < 300 or answer.status_code in allowed:
            return answer
        raise _error(answer)


def _session(user: str, password: str) -> requests.Session:
    session = requests.Session()
    session.auth = (user, password)
    return session


def _error(answer: requests.Response) -> TransportError:
    status = answer.status_code
    if status in {401, 403}:
        # Our own settings are wrong, or theirs: nothing is wrong with what we send, so nothing fails.
        logger.error("The print supplier does not accept our user and password: %s", status)
    if status >= 500 or status < 400 or status in {401, 403, 404, 408, 409, 423, 425, 429}:
        return TryLater(f"The print supplier answered {status}", retry_after(answer))
    return Refused(f"The print supplier refused the file ({status})")

"""A GOV.UK Notify of ours for tests: takes texts and letters from the real client, and calls back.

It checks what the real one checks: the client's signed token, telephone numbers, the template, that
letters are PDFs. Like the real one it takes the same reference twice. `python -m
letters.transports.notify.stub --port 8082` runs it; the key is `API_KEY`, the template `TEMPLATE_ID`.

On top of what every stub can be told: `POST /call-back/` with `url` and `token` says where delivery receipts
go, and `POST /statuses/` with a list of `reference` and `status` changes what became of messages.
"""

import base64
import queue
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import phonenumbers
import requests
from notifications_python_client.authentication import decode_jwt_token
from notifications_python_client.errors import TokenError

from letters.transports.stubs import Answer, Asked, Misbehaviour, NoAnswer, Stub, serve

SERVICE_ID = "8d3a5b1e-2c0f-4c1d-9a66-0f4b7b1d2a10"
SECRET = "c1f6f4a2-7f0b-4b52-a4a0-5d7f6e3c9b21"  # noqa: S105 - of the stub alone
API_KEY = f"stub-{SERVICE_ID}-{SECRET}"
TEMPLATE_ID = "2f1c9a52-6f6e-4f43-8f1e-6d2f8a0b7c33"
PAGE = 250


@dataclass
class NotifyMisbehaviour(Misbehaviour):
    """Besides: shares of texts whose number does not exist, or whose phone is off; and how receipts come.

    Each comes `repeat_callbacks` times; with `callbacks_out_of_order` an older status comes after the last.
    """

    permanent_failure: float = 0
    temporary_failure: float = 0
    repeat_callbacks: int = 1
    callbacks_out_of_order: bool = False


class NotifyStub(Stub):
    """A stub GOV.UK Notify. `accepted` has one entry a message: reference, id, type, status, at, in order."""

    behaviour = NotifyMisbehaviour
    how: NotifyMisbehaviour

    def __init__(self, port: int = 0) -> None:
        self._calls: queue.Queue[tuple[str, str, dict[str, Any]]] = queue.Queue()
        self._call_back: tuple[str, str] | None = None
        self._of: dict[str, list[dict[str, Any]]] = {}
        super().__init__(port)

    def __enter__(self) -> Self:
        threading.Thread(target=self._call, daemon=True).start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.called_back()
        super().__exit__(kind, error, trace)

    def called_back(self) -> None:
        """Waits until every callback that is due was made."""
        self._calls.join()

    def answer_own(self, asked: Asked) -> Answer:
        """Answers Notify's API below /v2/notifications, and what the stub is told."""
        match asked.method, asked.path:
            case "POST", "/call-back/":
                self._call_back = (asked.json()["url"], asked.json()["token"])
                return Answer(200, {})
            case "POST", "/statuses/":
                for each in asked.json():
                    self._change(each["reference"], each["status"])
                return Answer(200, {})
        if refusal := _refuse_token(asked):
            return refusal
        match asked.method, asked.path:
            case "POST", "/v2/notifications/sms" | "/v2/notifications/letter":
                return self._take(asked)
            case "GET", "/v2/notifications":
                return Answer(200, self._page(asked))
        return _error(404, "NoResultFound", "No result found")

    def _take(self, asked: Asked) -> Answer:
        body = asked.json()
        kind = asked.path.rpartition("/")[2]
        if complaint := _complaint(kind, body):
            return _error(400, *complaint)
        fate = self.fate()
        match fate:
            case "refuse":
                return _error(400, "BadRequestError", "We do not like this one")
            case "too_many":
                return _error(429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 per 60 seconds")
            case "error":
                return _error(500, "Exception", "Internal server error")
            case "unavailable":
                return _error(503, "Exception", "Service unavailable")
            case "drop":
                raise NoAnswer
            case "hang":
                raise self.hang()
        taken = self._accept(kind, body)
        match fate:
            case "error_after":
                return _error(500, "Exception", "Internal server error")
            case "drop_after":
                raise NoAnswer
            case "hang_after":
                raise self.hang()
        return Answer(201, {"id": taken["id"], "reference": taken["reference"]})

    def _accept(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            at = self._dice.random()
            status = "pending-virus-check"
            if kind == "sms":
                status = "delivered"
                if at < self.how.permanent_failure + self.how.temporary_failure:
                    status = "permanent-failure" if at < self.how.permanent_failure else "temporary-failure"
            taken = {
                "reference": body["reference"],
                "id": str(uuid.uuid4()),
                "type": kind,
                "status": status,
                "at": datetime.now(UTC).isoformat(),
            }
            self.accepted.append(taken)
            self._of.setdefault(taken["reference"], []).append(taken)
        if kind == "sms":
            self._tell(taken)
        return taken

    def _change(self, reference: str, status: str) -> None:
        with self.lock:
            changed = self._of.get(reference, [])
            for each in changed:
                each["status"] = status
        for each in changed:
            if each["type"] == "sms":
                self._tell(each)

    def _tell(self, taken: dict[str, Any]) -> None:
        if not self._call_back:
            return
        older = [{**taken, "status": "sending"}] if self.how.callbacks_out_of_order else []
        for said in [taken, *older]:
            body = {
                "id": said["id"],
                "reference": said["reference"],
                "to": "07700900000",
                "status": said["status"],
                "created_at": said["at"],
                "completed_at": None if said["status"] == "sending" else said["at"],
                "sent_at": said["at"],
                "notification_type": said["type"],
            }
            for _ in range(self.how.repeat_callbacks):
                self._calls.put((*self._call_back, body))

    def _call(self) -> None:
        with requests.Session() as session:
            while True:
                url, token, body = self._calls.get()
                try:
                    session.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
                except requests.RequestException:
                    pass  # the real one tries again some minutes later, five times
                finally:
                    self._calls.task_done()

    def _page(self, asked: Asked) -> dict[str, Any]:
        reference, older_than = asked.query.get("reference"), asked.query.get("older_than")
        with self.lock:
            found = [dict(each) for each in (self._of.get(reference, []) if reference else self.accepted)]
        found.reverse()
        if older_than:
            ids = [each["id"] for each in found]
            found = found[ids.index(older_than) + 1 :] if older_than in ids else []
        page = [{**each, "created_at": each["at"], "sent_at": None, "completed_at": None} for each in found[:PAGE]]
        return {"notifications": page, "links": {}}


def _refuse_token(asked: Asked) -> Answer | None:
    token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        decode_jwt_token(token, SECRET)  # type: ignore[no-untyped-call]
    except TokenError:
        return _error(403, "AuthError", "Invalid token: signature, API token not found")
    return None


def _complaint(kind: str, body: dict[str, Any]) -> tuple[str, str] | None:
    """Returns the error and the words with which Notify refuses a message, or None."""
    if not body.get("reference"):
        return "ValidationError", "reference is a required property"
    if kind == "letter":
        try:
            pdf = base64.b64decode(body.get("content", ""), validate=True)
        except ValueError:
            pdf = b""
        return None if pdf.startswith(b"%PDF-") else ("BadRequestError", "Letter content is not a valid PDF")
    if body.get("template_id") != TEMPLATE_ID:
        return "BadRequestError", "Template not found"
    text = body.get("personalisation", {}).get("text")
    if not text:
        return "BadRequestError", "Missing personalisation: text"
    if len(text) > 918:
        return "BadRequestError", f"Text messages cannot be longer than 918 characters. Your message is {len(text)}"
    try:
        number = phonenumbers.parse(body.get("phone_number", ""), "GB")
    except phonenumbers.NumberParseException:
        return "ValidationError", "phone_number Not a valid phone number"
    # Possible, not valid: the numbers that are kept for drama belong to nobody.
    if not phonenumbers.is_possible_number(number) or not str(number.national_number).startswith("7"):
        return "ValidationError", "phone_number Not a UK mobile number"
    return None


def _error(status: int, kind: str, words: str) -> Answer:
    return Answer(status, {"status_code": status, "errors": [{"error": kind, "message": words}]})


if __name__ == "__main__":
    serve(NotifyStub)

"""The API's addresses: send a list, see what became of its rows, take a request back."""

import hashlib
import json
import re
import unicodedata
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from cohort.actions.hospitals import lists as actions
from cohort.api.plumbing import UnitView, refused
from cohort.api.serializers import (
    ErrorOut,
    ListIn,
    ListOut,
    ListsOut,
    RowErrorOut,
    RowOut,
    RowsOut,
    SentOut,
    WithdrawIn,
)
from cohort.hospital_lists import COLUMNS, MOST_ROWS, ReadList, RowError, UnusableList, check_rows
from cohort.long_lists import FAILURES, Failure, ListState
from cohort.models import HospitalList, HospitalRow
from cohort.policies import check_can_send_patients
from cohort.queries import hospitals as queries
from cohort.rules import Request as Asked
from cohort.tasks import carry_on_list
from shielding.accounts.models import Membership
from shielding.audit.actions import record_read
from shielding.celery import wake

LISTS_PER_PAGE = 50
ROWS_PER_PAGE = 500
_KEY = re.compile(r"[A-Za-z0-9._:-]{8,100}")
_COLUMNS = frozenset(column.name for column in COLUMNS)
_ERRORS = {401: ErrorOut, 403: ErrorOut, 429: ErrorOut}
_PAGE = OpenApiParameter("page", int, description="From 1.")


class Lists(UnitView):
    """A unit's lists."""

    @extend_schema(operation_id="list_lists", parameters=[_PAGE], responses={200: ListsOut, 404: ErrorOut, **_ERRORS})
    def get(self, request: Request) -> Response:
        """The lists that your unit has sent, the newest first."""
        by = check_can_send_patients(self.by(request))
        page, about = _page(request, queries.lists(by).exclude(sent_at=None), LISTS_PER_PAGE)
        counts = queries.counts(by, page)
        return Response({**about, "results": [_list(each, counts[each.pk]) for each in page]})

    @extend_schema(
        operation_id="send_list",
        request=ListIn,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="Yours, one for each list: 8 to 100 letters, digits, or . _ : -. Sent again with the"
                " same list it changes nothing and gives the same answer.",
            )
        ],
        responses={
            200: SentOut,
            201: SentOut,
            202: OpenApiResponse(SentOut, "A long list, being taken in. `read_list` says when it is SENT or FAILED."),
            400: ErrorOut,
            409: ErrorOut,
            413: ErrorOut,
            415: ErrorOut,
            422: ErrorOut,
            **_ERRORS,
        },
    )
    def post(self, request: Request) -> Response:
        """Sends a list. Its good rows count; the others are left out and told one by one.

        At once and with 201, or where there are more than 1,000 good rows after a minute or two: then the answer
        is 202, with the rows that could not be read, and the list is SENDING until all of it counts. If that cannot
        be done, by no fault of yours, it is FAILED and nothing of it counts: the same key and list again start anew.
        """
        by = check_can_send_patients(self.by(request))
        key = request.headers.get("Idempotency-Key", "")
        if not _KEY.fullmatch(key):
            return refused(
                400, "no_idempotency_key", "Send a header Idempotency-Key of 8 to 100 letters, digits, or . _ : -."
            )
        rows = _rows_of(request.data)
        if isinstance(rows, str):
            return refused(422, "not_a_list", rows)
        now = timezone.now()
        read = ReadList()
        try:
            read = check_rows(enumerate(rows, start=1), today=timezone.localdate(now))
            sent, is_new = actions.submit_list(read=read, sha256=_fingerprint(rows), idempotency_key=key, by=by, at=now)
        except UnusableList as unusable:
            return refused(422, "no_good_row", str(unusable), _told(read.errors))
        except actions.KeyUsed:
            return refused(409, "key_used", "This Idempotency-Key came before with another list. Use a new one.")
        counts = queries.counts(by, [sent])[sent.pk]
        told = _told(queries.errors_of(sent))
        is_waiting = sent.state == ListState.SENDING
        if is_waiting:
            wake(carry_on_list, str(sent.pk))
        status = 202 if is_waiting else 201
        return Response({**_list(sent, counts), "errors": told}, status=status if is_new else 200)


class OneList(UnitView):
    """One list."""

    @extend_schema(operation_id="read_list", responses={200: SentOut, 404: ErrorOut, **_ERRORS})
    def get(self, request: Request, list_id: UUID) -> Response:
        """One list that your unit has sent, with the rows that were left out."""
        by = check_can_send_patients(self.by(request))
        found = _sent(by, list_id)
        counts = queries.counts(by, [found])[found.pk]
        return Response({**_list(found, counts), "errors": _told(queries.errors_of(found))})


class Rows(UnitView):
    """The rows of a list."""

    @extend_schema(operation_id="list_rows", parameters=[_PAGE], responses={200: RowsOut, 404: ErrorOut, **_ERRORS})
    def get(self, request: Request, list_id: UUID) -> Response:
        """What became of each row of a list, as it stands now."""
        by = check_can_send_patients(self.by(request))
        sent = _sent(by, list_id)
        found = queries.rows_of(by, sent.pk)
        is_sent = sent.state == ListState.SENT
        page, about = _page(request, found if is_sent else found.none(), ROWS_PER_PAGE)
        record_read(by=by, what="api:rows", patient_ids=queries.shown_ids(page), at=timezone.now())
        return Response({**about, "results": [_row(each) for each in page]})


class Withdraw(UnitView):
    """Taking a request back."""

    @extend_schema(
        operation_id="withdraw_row",
        request=WithdrawIn,
        responses={200: RowOut, 400: ErrorOut, 404: ErrorOut, 409: ErrorOut, 415: ErrorOut, 422: ErrorOut, **_ERRORS},
    )
    def post(self, request: Request, row_id: UUID) -> Response:
        """Takes the request of a row back, as if it had never been made."""
        by = check_can_send_patients(self.by(request))
        reason = request.data.get("reason") if isinstance(request.data, dict) else None
        if not isinstance(reason, str) or not reason.strip() or len(reason) > 300 or not _is_text(reason):
            return refused(422, "no_reason", "Send a reason, a text of 1 to 300 characters.")
        try:
            actions.withdraw_row(row_id=row_id, reason=reason.strip(), by=by, at=timezone.now())
            found = queries.row(by, row_id)
        except HospitalRow.DoesNotExist as error:
            raise Http404 from error
        except actions.AlreadyWithdrawn:
            return refused(409, "already_withdrawn", "It has been taken back already, or was never counted.")
        record_read(by=by, what="api:withdraw", patient_ids=queries.shown_ids([found]), at=timezone.now())
        return Response(_row(found))


def _rows_of(data: Any) -> list[dict[str, Any]] | str:
    """Returns the rows of a body, or what is wrong with it."""
    if not isinstance(data, dict) or set(data) != {"rows"} or not isinstance(data["rows"], list):
        return 'Send an object {"rows": [...]} and nothing else in it.'
    if len(data["rows"]) > MOST_ROWS:
        return f"There are more than {MOST_ROWS:,} rows. Divide the list and send the parts."
    for number, row in enumerate(data["rows"], start=1):
        if not isinstance(row, dict):
            return f"Row {number} is not an object."
        if not set(row) <= _COLUMNS:
            return f"Row {number} has a field that is not ours. Send no more about people than is asked."
    return data["rows"]


def _fingerprint(rows: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _is_text(text: str) -> bool:
    return not any(unicodedata.category(c) in {"Cc", "Cs"} for c in text if c not in "\t\n\r")


def _sent(by: Membership, list_id: UUID) -> HospitalList:
    try:
        found = queries.one_list(by, list_id)
    except HospitalList.DoesNotExist as error:
        raise Http404 from error
    if found.sent_at is None:
        raise Http404
    return found


def _page(request: Request, found: QuerySet[Any], size: int) -> tuple[list[Any], dict[str, int]]:
    pages = Paginator(found, size)
    asked = request.query_params.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    if not 1 <= number <= pages.num_pages:
        raise exceptions.NotFound("There is no such page.")
    return list(pages.page(number)), {"count": pages.count, "page": number, "pages": pages.num_pages}


def _list(found: HospitalList, counts: queries.ListCounts) -> dict[str, Any]:
    if found.state != ListState.SENT:
        counts = queries.ListCounts({}, counts.wrong)
    return dict(
        ListOut(
            {
                "id": found.pk,
                "sent_at": found.sent_at,
                "status": found.state,
                "failure": FAILURES[Failure(found.failure)] if found.failure else "",
                "counts": {
                    "rows": counts.rows,
                    "taken": counts.of("taken"),
                    "to_decide": counts.of("to-decide"),
                    "not_found": counts.of("not-found"),
                    "wrong": counts.wrong,
                },
            }
        ).data
    )


def _told(errors: list[RowError]) -> list[dict[str, Any]]:
    return [dict(RowErrorOut(error).data) for error in errors]


def _row(found: Any) -> dict[str, Any]:
    action = "add" if found.request == Asked.ADD else "remove"
    return {"id": str(found.pk), "row": found.number, "action": action, "outcome": queries.outcome(found)}

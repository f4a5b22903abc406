"""The shapes of what the API takes and gives, for answers and for its OpenAPI document."""

from typing import Any

from rest_framework import serializers

from cohort.hospital_lists import COLUMNS, MOST_ROWS

OUTCOMES = {
    "TO_DECIDE": "somebody of the unit must say on its pages who is meant",
    "NOT_FOUND": "nobody is known with these details: mend them and send the row again",
    "NOT_THEM": "the unit said that none of those offered is meant",
    "DIED": "not added, since their death is registered",
    "ON_LIST": "on the list, as asked",
    "OFF_LIST": "off the list, as asked",
    "OVERRULED": "somebody has decided otherwise since",
    "WITHDRAWN": "the unit took the request back",
}


class RowIn(serializers.Serializer[Any]):
    """One person: all texts, checked as the columns of a file are."""


for _column in COLUMNS:
    RowIn._declared_fields[_column.name] = serializers.CharField(  # type: ignore[attr-defined]
        required=_column.is_needed,
        allow_blank=not _column.is_needed,
        max_length=_column.longest,
        help_text=_column.help,
    )


class ListIn(serializers.Serializer[Any]):
    """A list to send."""

    rows = serializers.ListField(child=RowIn(), min_length=1, max_length=MOST_ROWS)


class RowErrorOut(serializers.Serializer[Any]):
    """What is wrong with a row that was left out."""

    row = serializers.IntegerField(source="number", help_text="Its place in what was sent, from 1.")
    column = serializers.CharField(help_text="Empty for the whole row.")
    reason = serializers.CharField()


class ErrorOut(serializers.Serializer[Any]):
    """Why nothing was done."""

    error = serializers.CharField(help_text="A code for programs.")
    message = serializers.CharField(help_text="What is wrong and what to do, for people.")
    errors = RowErrorOut(many=True, required=False)  # type: ignore[assignment]


class CountsOut(serializers.Serializer[Any]):
    """How many rows; `rows` = taken + to_decide + not_found."""

    rows = serializers.IntegerField()
    taken = serializers.IntegerField()
    to_decide = serializers.IntegerField()
    not_found = serializers.IntegerField()
    wrong = serializers.IntegerField(help_text="Left out, since they could not be read.")


class ListOut(serializers.Serializer[Any]):
    """A list that was sent."""

    id = serializers.UUIDField()
    sent_at = serializers.DateTimeField()
    status = serializers.ChoiceField(
        ["SENDING", "SENT", "FAILED"],
        help_text="SENDING: a worker is taking the list in; ask again. SENT: its good rows count."
        " FAILED: it could not be taken in, and nothing in it counts; send it again under the same key.",
    )
    failure = serializers.CharField(help_text="Why it FAILED, for people; else empty.")
    counts = CountsOut(help_text="All 0, but for `wrong`, unless the list is SENT.")


class SentOut(ListOut):
    """A list that has just been sent, with the rows that were left out."""

    errors = RowErrorOut(many=True)  # type: ignore[assignment]


class RowOut(serializers.Serializer[Any]):
    """What became of a row. It says nothing about the person but what the unit asked."""

    id = serializers.UUIDField()
    row = serializers.IntegerField(help_text="Its place in what was sent, from 1.")
    action = serializers.ChoiceField(["add", "remove"])
    outcome = serializers.ChoiceField([*OUTCOMES], help_text="; ".join(f"{k}: {v}" for k, v in OUTCOMES.items()))


class PageOut(serializers.Serializer[Any]):
    """One page of several."""

    count = serializers.IntegerField(help_text="Of all pages.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()


class ListsOut(PageOut):
    """Lists, the newest first."""

    results = ListOut(many=True)


class RowsOut(PageOut):
    """Rows, in the order in which they were sent."""

    results = RowOut(many=True)


class WithdrawIn(serializers.Serializer[Any]):
    """Why a request is taken back."""

    reason = serializers.CharField(max_length=300)

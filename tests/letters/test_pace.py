"""What the page of a batch says of its pace: words by a table of cases, and what is counted for them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from cohort.rules import Channel
from letters import queries
from letters.actions import batches, outbox
from letters.estimating import Supply
from letters.models import Batch, Message, Supplier, SupplierDay
from letters.pace import Line, Pace, outlook
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import work

AT = datetime(2020, 3, 23, 10, 0, tzinfo=UTC)
TEN = timedelta(minutes=10)
#: 600 an hour.
HUNDRED = Pace(100, TEN)
NONE = Pace(0, TEN)
DAY = (time(8), time(18))
WENT = "100 went in the last 10 minutes: 600 an hour."


def line(waiting: int = 200, *, noun: str = "letters", **more: Any) -> Line:
    line_only = {name: more.pop(name) for name in ("rests_until", "is_behind") if name in more}
    return Line(noun, waiting, Supply("Northern Print", **more), **line_only)


@pytest.mark.parametrize(
    ("lines", "pace", "said"),
    [
        ([line()], HUNDRED, [f"{WENT} About 20 minutes left."]),
        ([line(5)], HUNDRED, [f"{WENT} About 1 minute left."]),
        ([line(1_500)], HUNDRED, [f"{WENT} About 3 hours left."]),
        ([line(200, a_day=150)], HUNDRED, [f"{WENT} The last of the other 200 goes on 24 March 2020."]),
        ([line(9_000, hours=DAY)], HUNDRED, [f"{WENT} The last of the other 9,000 goes on 24 March 2020."]),
        ([line(10_000_000)], HUNDRED, [f"{WENT} At this pace it takes more than a year."]),
        ([line()], Pace(0, timedelta(minutes=3)), ["It has only just begun, so nobody can say yet how long it takes."]),
        (
            [line()],
            NONE,
            ["Nothing has gone in the last 10 minutes. If that lasts, tell the technical team."],
        ),
        (
            [Line("texts", 7, None)],
            NONE,
            ["No supplier of texts is in use, so 7 texts wait. Ask an administrator to set one up."],
        ),
        (
            [line(hours=(time(11), time(18)))],
            NONE,
            ["Northern Print takes letters from 11am to 6pm: 200 letters wait until today."],
        ),
        (
            [line(hours=(time(7, 30), time(9)), a_day=100)],
            NONE,
            [
                "Northern Print takes letters from 7:30am to 9am: 200 letters wait until tomorrow. "
                "The last goes on 25 March 2020 at the earliest."
            ],
        ),
        (
            [line(a_day=100, taken_today=100)],
            HUNDRED,
            [
                WENT,
                "Northern Print has taken the 100 that it takes a day: 200 letters wait until 24 March 2020. "
                "The last goes on 25 March 2020 at the earliest.",
            ],
        ),
        (
            [line(rests_until=AT + timedelta(minutes=5))],
            NONE,
            ["Northern Print takes nothing at the moment. It is tried again at 10:05am."],
        ),
        ([line(rests_until=AT)], HUNDRED, [f"{WENT} About 20 minutes left."]),
        ([line(is_behind=True)], NONE, ["An older batch goes first: 200 letters wait for it."]),
        (
            [line(), line(50, noun="texts", hours=(time(12), time(18)))],
            HUNDRED,
            [
                f"{WENT} About 20 minutes left.",
                "Northern Print takes texts from 12pm to 6pm: 50 texts wait until today.",
            ],
        ),
    ],
)
def test_the_outlook_in_words(lines: list[Line], pace: Pace, said: list[str]) -> None:
    assert outlook(lines, pace, AT) == said


def went_at(mailing: Mailing, batch: Batch, count: int, at: datetime) -> None:
    claimed = outbox.claim(at=at, limit=count)
    assert claimed
    assert outbox.make_and_hand_over(claimed=claimed, clock=lambda: at) == count


def said_of(batch: Batch, at: datetime) -> list[str]:
    batch.refresh_from_db()
    return queries.outlook_of(batch, queries.progress([batch.pk])[batch.pk], at)


@pytest.mark.django_db
class TestOfABatch:
    @pytest.fixture
    def batch(self, mailing: Mailing) -> Batch:
        for _ in range(6):
            validated()
        return mailing.released()

    def test_the_pace_is_of_what_went_in_the_last_minutes(self, mailing: Mailing, batch: Batch) -> None:
        went_at(mailing, batch, 2, NOON + timedelta(minutes=2))
        assert said_of(batch, NOON + timedelta(minutes=5)) == [
            "2 went in the last 5 minutes: 24 an hour. About 10 minutes left.",
        ]
        assert said_of(batch, NOON + timedelta(minutes=30)) == [
            "Nothing has gone in the last 10 minutes. If that lasts, tell the technical team."
        ]

    def test_what_a_provider_took_one_by_one_counts_too(self, mailing: Mailing, batch: Batch) -> None:
        went_at(mailing, batch, 2, NOON + timedelta(minutes=2))
        one = Message.objects.filter(state="HANDED_OVER")[0]
        Message.objects.filter(pk=one.pk).update(hand_over=None, provider_id="theirs")
        assert said_of(batch, NOON + timedelta(minutes=5))[0].startswith("3 went in the last 5 minutes: 36 an hour.")

    def test_a_batch_that_is_not_going_says_nothing(self, mailing: Mailing, batch: Batch) -> None:
        batches.pause_batch(batch_id=batch.pk, by=mailing.operator)
        assert said_of(batch, NOON) == []
        batches.resume_batch(batch_id=batch.pk, by=mailing.operator)
        work()
        assert said_of(batch, NOON) == []

    def test_what_it_waits_for_is_its_suppliers_hours_capacity_and_rest(self, mailing: Mailing, batch: Batch) -> None:
        printer = Supplier.objects.create(slug="p", name="Printer", channel="LETTER", transport="NULL", in_use=True)
        printers = Supplier.objects.filter(pk=printer.pk)
        printers.update(takes_from=time(8), takes_until=time(9))
        assert "Printer takes letters from 8am to 9am: 6 letters wait until tomorrow." in said_of(batch, NOON)
        printers.update(takes_from=None, takes_until=None, daily_capacity=4)
        SupplierDay.objects.create(supplier=printer, day=NOON.date(), taken=4)
        (full,) = said_of(batch, NOON)
        assert "has taken the 4 that it takes a day" in full
        printers.update(daily_capacity=None, rests_until=NOON + timedelta(minutes=1))
        assert "It is tried again at 10:01am." in said_of(batch, NOON)[0]
        printers.update(in_use=False)
        assert "No supplier of letters is in use" in said_of(batch, NOON)[0]

    def test_texts_wait_for_the_hours_of_texts(self, mailing: Mailing, batch: Batch) -> None:
        texts = mailing.released(Channel.SMS)
        night = NOON.replace(hour=21)
        assert said_of(texts, night) == ["The folder takes texts from 8am to 8pm: 6 texts wait until tomorrow."]

    def test_an_older_batch_of_the_channel_goes_first(self, mailing: Mailing, batch: Batch) -> None:
        later = NOON + timedelta(minutes=1)
        Supplier.objects.create(slug="p", name="Printer", channel="LETTER", transport="NULL", in_use=True)
        newer = Batch.objects.get(pk=batch.pk)
        newer.pk, newer._state.adding, newer.released_at = None, True, later
        newer.save()
        batch_words = queries.outlook_of(newer, queries.Progress(waiting_by_channel={"LETTER": 3}), later)
        assert batch_words == ["An older batch goes first: 3 letters wait for it."]
        assert said_of(batch, later) != batch_words

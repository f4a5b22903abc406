"""What stands of a practice's amendments once an extract comes, and what is wrong with an address: as tables."""

from typing import Any

import pytest

from cohort.amending import ASK_THE_PRACTICE, Detail, Held, address_problems, overruled, standing
from cohort.models import Patient
from cohort.queries.holds import hold_reason
from cohort.rules import Audience, Channel
from tests.cohort.factories import NOW, ListEntryFactory, UserFactory

OLD, NEW, OURS = ({"mobile": number} for number in ("07700900001", "07700900002", "07700900003"))


def at(lines: list[str], *, uprn: str = "", nfa: bool = False) -> dict[str, Any]:
    return {"address_lines": lines, "postcode": "SM1 1AA", "no_fixed_abode": nfa, "uprn": uprn}


def died(status: str, day: str | None = None) -> dict[str, Any]:
    return {"death_status": status, "death_date": day}


def unsafe(*channels: str) -> dict[str, Any]:
    return {"unsafe_channels": list(channels)}


def safely(text: str) -> dict[str, Any]:
    return {"safe_contact_instruction": text}


def asked(is_so: bool) -> dict[str, Any]:
    return {"asked_not_to_be_contacted": is_so}


REPORTED, DATED, REGISTERED = died("INFORMAL"), died("INFORMAL", "2020-03-01"), died("FORMAL", "2020-03-01")
CODE = [{"moved_away_code": code} for code in ("", "CGA", "SCT")]


@pytest.mark.parametrize(
    ("detail", "value", "said", "now", "held"),
    [
        # The extract says what it said: the practice's word stands.
        (Detail.MOBILE, OURS, OLD, OLD, Held(True, OURS)),
        # It has something new, be it the practice's own correction: it has caught up.
        (Detail.MOBILE, OURS, OLD, NEW, Held(False, NEW)),
        (Detail.MOBILE, OURS, OLD, OURS, Held(False, OURS)),
        (Detail.MOBILE, {"mobile": ""}, OLD, OLD, Held(True, {"mobile": ""})),
        (Detail.EMAIL, {"email": "a@b.c"}, {"email": ""}, {"email": "x@y.z"}, Held(False, {"email": "x@y.z"})),
        (Detail.MOVED_AWAY, CODE[1], CODE[0], CODE[0], Held(True, CODE[1])),
        (Detail.MOVED_AWAY, CODE[1], CODE[0], CODE[2], Held(False, CODE[2])),
        # An address is one; its UPRN alone makes no other address of it.
        (Detail.ADDRESS, at(["2 New Road"]), at(["1 Old Road"]), at(["1 Old Road"]), Held(True, at(["2 New Road"]))),
        (
            Detail.ADDRESS,
            at(["2 New Road"]),
            at(["1 Old Road"]),
            at(["1 Old Road"], uprn="100"),
            Held(True, at(["2 New Road"])),
        ),
        (Detail.ADDRESS, at(["2 New Road"]), at(["1 Old Road"]), at(["3 Hill"]), Held(False, at(["3 Hill"]))),
        (Detail.ADDRESS, at([], nfa=True), at(["1 Old Road"]), at(["1 Old Road"]), Held(True, at([], nfa=True))),
        # Safety: the practice's word stands, and what is newly unsafe counts as well.
        (Detail.UNSAFE_CHANNELS, unsafe("SMS"), unsafe(), unsafe(), Held(True, unsafe("SMS"))),
        (Detail.UNSAFE_CHANNELS, unsafe("SMS"), unsafe(), unsafe("LETTER"), Held(True, unsafe("LETTER", "SMS"), True)),
        (Detail.UNSAFE_CHANNELS, unsafe(), unsafe("SMS"), unsafe("SMS"), Held(True, unsafe())),
        (Detail.UNSAFE_CHANNELS, unsafe(), unsafe("SMS"), unsafe("LETTER", "SMS"), Held(True, unsafe("LETTER"), True)),
        (Detail.SAFE_CONTACT, safely("Noon"), safely(""), safely("Never"), Held(True, safely("Noon. Never"), True)),
        (Detail.SAFE_CONTACT, safely(""), safely("Noon"), safely("Noon"), Held(True, safely(""))),
        (Detail.SAFE_CONTACT, safely(""), safely("Noon"), safely("Never"), Held(True, safely("Never"), True)),
        (Detail.ASKED_NOT, asked(True), asked(False), asked(False), Held(True, asked(True))),
        (Detail.ASKED_NOT, asked(False), asked(True), asked(True), Held(True, asked(False))),
        (Detail.ASKED_NOT, asked(False), asked(False), asked(True), Held(True, asked(True), True)),
        # A registered death ends any other word; a report, where the practice had not heard of one.
        (Detail.DEATH, REPORTED, died(""), died(""), Held(True, REPORTED)),
        (
            Detail.DEATH,
            REPORTED,
            died(""),
            REGISTERED,
            Held(False, REGISTERED),
        ),
        (Detail.DEATH, REPORTED, died(""), DATED, Held(True, REPORTED)),
        (Detail.DEATH, died(""), REPORTED, REPORTED, Held(True, died(""))),
        (
            Detail.DEATH,
            died(""),
            REPORTED,
            DATED,
            Held(False, DATED, True),
        ),
    ],
)
def test_what_stands_of_an_amendment(detail: Detail, value: Any, said: Any, now: Any, held: Held) -> None:
    assert standing(detail, value=value, said=said, says=said, now=now) == held


LONG = "Ring at noon only, and ask for the gardener. " * 4


@pytest.mark.parametrize(
    ("detail", "value", "said", "extracts"),
    [
        # What the practice has said itself, or has overruled, is no news, week after week.
        (
            Detail.UNSAFE_CHANNELS,
            unsafe("LETTER", "SMS"),
            unsafe(),
            [
                (unsafe("SMS"), unsafe("LETTER", "SMS"), False),
                (unsafe("SMS", "LETTER"), unsafe("LETTER", "SMS"), False),
            ],
        ),
        (Detail.UNSAFE_CHANNELS, unsafe(), unsafe("SMS"), [(unsafe("SMS"), unsafe(), False)] * 2),
        # A new warning counts from the first week on, and is news in that week alone.
        (
            Detail.UNSAFE_CHANNELS,
            unsafe("SMS"),
            unsafe(),
            [(unsafe("LETTER"), unsafe("LETTER", "SMS"), True), (unsafe("LETTER"), unsafe("LETTER", "SMS"), False)],
        ),
        # A warning that the practice overruled and extracts let go of is new when it comes again.
        (
            Detail.UNSAFE_CHANNELS,
            unsafe(),
            unsafe("SMS"),
            [(unsafe(), unsafe(), False), (unsafe("SMS"), unsafe("SMS"), True), (unsafe("SMS"), unsafe("SMS"), False)],
        ),
        # One that extracts take back stands by the practice's word, and the practice is asked whether it is right.
        (
            Detail.UNSAFE_CHANNELS,
            unsafe("LETTER", "SMS"),
            unsafe("SMS"),
            [(unsafe(), unsafe("LETTER", "SMS"), True), (unsafe(), unsafe("LETTER", "SMS"), False)],
        ),
        # Two instructions are both kept; no half of one is.
        (
            Detail.SAFE_CONTACT,
            safely("Noon."),
            safely("Ring"),
            [
                (safely("Ring"), safely("Noon."), False),
                (safely("Never ring"), safely("Noon. Never ring"), True),
                (safely("Never ring"), safely("Noon. Never ring"), False),
                (safely(LONG), safely("Noon. " + LONG), True),
                (safely("Noon."), safely("Noon."), False),
                (safely("Ring"), safely("Noon. Ring"), True),
            ],
        ),
        (Detail.SAFE_CONTACT, safely(LONG), safely(""), [(safely(LONG[1:]), safely(ASK_THE_PRACTICE), True)]),
        # An instruction that is gone from the extract stands by the practice's word; so does an emptied one.
        (Detail.SAFE_CONTACT, safely("Noon"), safely("Ring"), [(safely(""), safely("Noon"), True)]),
        (
            Detail.SAFE_CONTACT,
            safely(""),
            safely("Ring"),
            [(safely(""), safely(""), False), (safely("Ring"), safely("Ring"), True)],
        ),
        (
            Detail.ASKED_NOT,
            asked(False),
            asked(True),
            [(asked(True), asked(False), False), (asked(False), asked(False), False), (asked(True), asked(True), True)],
        ),
        (Detail.ASKED_NOT, asked(True), asked(False), [(asked(True), asked(True), False)]),
        (Detail.ASKED_NOT, asked(True), asked(True), [(asked(False), asked(True), True)]),
        # The extract says that somebody reported dead is alive: they stay held, and are looked at.
        (Detail.DEATH, DATED, REPORTED, [(died(""), DATED, True), (died(""), DATED, False)]),
        (Detail.DEATH, died(""), REPORTED, [(died(""), died(""), False), (REPORTED, REPORTED, True)]),
        (Detail.DEATH, died(""), REPORTED, [(REGISTERED, REGISTERED, True)]),
        (Detail.DEATH, REPORTED, died(""), [(REGISTERED, REGISTERED, False)]),
        (Detail.MOBILE, OURS, OLD, [(NEW, NEW, False)]),
    ],
)
def test_the_safer_word_is_held_and_news_asks_once_for_another_look(
    detail: Detail, value: Any, said: Any, extracts: list[tuple[Any, Any, bool]]
) -> None:
    says = said
    for now, held, is_news in extracts:
        found = standing(detail, value=value, said=said, says=says, now=now)
        assert (found.value, found.is_news) == (held, is_news), now
        said, says = overruled(detail, value=value, said=said, now=now), now


def test_every_column_belongs_to_one_detail_and_is_the_patients() -> None:
    columns = [column for detail in Detail for column in detail.columns]
    assert len(columns) == len(set(columns))
    assert {field.name for field in Patient._meta.concrete_fields} > set(columns)
    assert all(detail.label for detail in Detail)


ADDRESSES = [
    (["1 Mill Lane", "Sutton"], "SM1 1AA", []),
    (["1 Mill Lane"], "SM1 1AA", []),
    (["1 Mill Lane", "a", "b", "c", "d"], "GIR 0AA", []),
    (["2 Signal Regiment", "BFPO 61"], "", []),
    (["BFPO 61"], "", ["address_line_1"]),
    (["BFPO 61", "Germany"], "", ["postcode"]),
    (["1 Mill Lane", "@Sutton"], "SM1 1AA", ["address_line_2"]),
    (["(The Barn)"], "SM1 1AA", ["address_line_1"]),
    (["No fixed abode"], "SM1 1AA", ["address_line_1"]),
    (["NFA"], "SM1 1AA", ["address_line_1"]),
    ([], "SM1 1AA", ["address_line_1"]),
    (["1 Mill Lane"], "", ["postcode"]),
    (["1 Mill Lane"], "SM1", ["postcode"]),
    (["1 Mill Lane"], "ZZ99 3VZ", ["postcode"]),
    (["<b>"], "12345", ["address_line_1", "postcode"]),
]


@pytest.mark.parametrize(("lines", "postcode", "fields"), ADDRESSES)
def test_what_is_wrong_with_an_address_names_its_field(lines: list[str], postcode: str, fields: list[str]) -> None:
    found = address_problems([*lines, "", "", "", "", ""][:5], postcode)
    assert [field for field, _ in found] == fields


@pytest.mark.django_db
@pytest.mark.parametrize(("lines", "postcode", "fields"), ADDRESSES)
def test_an_address_without_problems_is_no_hold_and_one_with_problems_is(
    lines: list[str], postcode: str, fields: list[str]
) -> None:
    reviewed = {"review_state": "CONFIRMED", "reviewed_at": NOW, "reviewed_by": UserFactory()}
    entry = ListEntryFactory(patient__address_lines=lines, patient__postcode=postcode, **reviewed)
    held = Patient.objects.annotate(hold=hold_reason(Channel.LETTER, NOW.date(), Audience.LISTED)).get(pk=entry.pk).hold
    assert (held == "") is (fields == [])

"""Every reason not to contact somebody, and the order of reasons, decided by PostgreSQL."""

import re
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.models import ListEntry, Patient
from cohort.queries import holds
from cohort.rules import Audience, Channel, HoldReason, RemovalReason
from tests.cohort.factories import NOW, ListEntryFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db

LETTER, SMS = Channel.LETTER, Channel.SMS


def hold(patient: Patient, channel: Channel, audience: Audience = Audience.LISTED) -> str:
    reason = holds.hold_reason(channel, NOW.date(), audience)
    return Patient.objects.annotate(hold=reason).get(pk=patient.pk).hold


def somebody(**details: Any) -> Patient:
    about = {f"patient__{name}": value for name, value in details.items()}
    return ListEntryFactory(review_state="CONFIRMED", reviewed_at=NOW, reviewed_by=UserFactory(), **about).patient


@pytest.mark.parametrize("channel", [LETTER, SMS])
def test_somebody_with_nothing_against_it_is_not_held(channel: Channel) -> None:
    assert hold(somebody(), channel) == ""


#: From gravest to least: what is wrong, and the reason shown for letters and for texts.
WRONGS: list[tuple[dict[str, Any], str, str]] = [
    ({"death_status": "FORMAL"}, "DIED", "DIED"),
    ({"death_status": "INFORMAL"}, "REPORTED_DEAD", "REPORTED_DEAD"),
    ({"is_restricted": True}, "RESTRICTED", "RESTRICTED"),
    ({"is_invalid": True}, "RECORD_INVALID", "RECORD_INVALID"),
    ({"moved_away_code": "EMB"}, "MOVED_AWAY", "MOVED_AWAY"),
    ({"on_list": False}, "OFF_LIST", "OFF_LIST"),
    ({"is_reviewed": False}, "NOT_REVIEWED", "NOT_REVIEWED"),
    ({"asked_not_to_be_contacted": True}, "ASKED_NOT_TO_BE_CONTACTED", "ASKED_NOT_TO_BE_CONTACTED"),
    ({"unsafe_channels": ["LETTER", "SMS"]}, "UNSAFE_CHANNEL", "UNSAFE_CHANNEL"),
    ({"returned_address": "DANA ROE\nSM1 1AA", "returned_at": NOW}, "LETTER_RETURNED", "NUMBER_UNDELIVERABLE"),
    ({"undeliverable_mobile": "ask", "undeliverable_at": NOW}, "NO_FIXED_ABODE", "NUMBER_UNDELIVERABLE"),
    ({"no_fixed_abode": True}, "NO_FIXED_ABODE", "NO_USABLE_NUMBER"),
    ({"family_name": "Roe", "address_lines": [], "mobile": "ask"}, "NO_USABLE_ADDRESS", "NO_USABLE_NUMBER"),
]


#: The same of those taken off the list, and told, who are written to about that.
STANDINGS: dict[str, tuple[dict[str, Any], str, str]] = {
    "OFF_LIST": ({"on_list": True}, "BACK_ON_LIST", "BACK_ON_LIST"),
    "NOT_REVIEWED": ({"is_told": False}, "REMOVAL_NOT_TOLD", "REMOVAL_NOT_TOLD"),
}
REMOVED_WRONGS = [STANDINGS.get(wrong[1], wrong) for wrong in WRONGS]


@pytest.mark.parametrize("place", range(len(REMOVED_WRONGS)))
def test_the_gravest_of_all_reasons_against_telling_the_removed_is_shown(place: int) -> None:
    details: dict[str, Any] = {}
    for wrong, _, _ in reversed(REMOVED_WRONGS[place:]):
        details |= wrong
    standing = {"is_on_list": details.pop("on_list", False), "is_patient_told": details.pop("is_told", True)}
    patient = somebody(**details)
    ListEntry.objects.filter(patient=patient).update(review_state="REMOVED", removal_reason="LOW_RISK", **standing)
    _, letter, sms = REMOVED_WRONGS[place]
    assert (hold(patient, LETTER, Audience.REMOVED), hold(patient, SMS, Audience.REMOVED)) == (letter, sms)


@pytest.mark.parametrize("state", ["CONFIRMED", "LAPSED", "TO_REVIEW"])
def test_who_is_off_the_list_by_no_removal_is_not_told_of_one(state: str) -> None:
    patient = somebody()
    unreviewed = {"reviewed_at": None, "reviewed_by": None} if state != "CONFIRMED" else {}
    entry = ListEntry.objects.filter(patient=patient)
    if state == "LAPSED":
        entry.update(review_state="TO_REVIEW", **unreviewed)
    entry.update(is_on_list=False, review_state=state, **unreviewed)
    assert hold(patient, LETTER, Audience.REMOVED) == "REMOVAL_NOT_TOLD"
    assert hold(PatientFactory(), LETTER, Audience.REMOVED) == "REMOVAL_NOT_TOLD"


def test_who_is_told_of_a_removal_is_not_held() -> None:
    patient = somebody()
    ListEntry.objects.filter(patient=patient).update(
        is_on_list=False, review_state="REMOVED", removal_reason="LOW_RISK", is_patient_told=True
    )
    assert hold(patient, LETTER, Audience.REMOVED) == ""
    assert hold(patient, LETTER) == "OFF_LIST"


@pytest.mark.parametrize("reason", RemovalReason)
def test_of_a_death_or_a_slip_nobody_is_told_whatever_was_ticked(reason: RemovalReason) -> None:
    patient = somebody()
    ListEntry.objects.filter(patient=patient).update(
        is_on_list=False, review_state="REMOVED", removal_reason=reason.value, removal_detail="x", is_patient_told=True
    )
    is_told = reason not in {RemovalReason.DIED, RemovalReason.ADDED_BY_MISTAKE}
    assert hold(patient, LETTER, Audience.REMOVED) == ("" if is_told else "REMOVAL_NOT_TOLD")


@pytest.mark.parametrize("place", range(len(WRONGS)))
def test_the_gravest_of_all_reasons_is_shown(place: int) -> None:
    details: dict[str, Any] = {}
    for wrong, _, _ in reversed(WRONGS[place:]):
        details |= wrong
    on_list = details.pop("on_list", True)
    is_reviewed = details.pop("is_reviewed", True)
    patient = somebody(**details)
    entry = ListEntry.objects.filter(patient=patient)
    entry.update(is_on_list=on_list)
    if not is_reviewed:
        entry.update(review_state="TO_REVIEW", reviewed_at=None, reviewed_by=None)
    _, letter, sms = WRONGS[place]
    assert hold(patient, LETTER) == letter
    assert hold(patient, SMS) == sms


def test_every_reason_is_in_the_table_in_the_order_of_the_rules() -> None:
    in_order = [reason.value for reason in HoldReason]
    found = set()
    for table in (WRONGS, REMOVED_WRONGS):
        letters = list(dict.fromkeys(letter for _, letter, _ in table))
        texts = list(dict.fromkeys(sms for _, _, sms in table))
        assert letters == [reason for reason in in_order if reason in letters]
        assert texts == [reason for reason in in_order if reason in texts]
        found |= {*letters, *texts}
    assert found == {*in_order}


def test_nobody_without_an_entry_is_contacted() -> None:
    assert hold(PatientFactory(), LETTER) == "OFF_LIST"


@pytest.mark.parametrize(
    ("unsafe", "letter", "sms"), [(["LETTER"], "UNSAFE_CHANNEL", ""), (["SMS"], "", "UNSAFE_CHANNEL")]
)
def test_an_unsafe_channel_holds_that_channel_alone(unsafe: list[str], letter: str, sms: str) -> None:
    patient = somebody(unsafe_channels=unsafe)
    assert (hold(patient, LETTER), hold(patient, SMS)) == (letter, sms)


@pytest.mark.parametrize(
    ("lines", "postcode", "expected"),
    [
        (["1 Mill Lane"], "SM1 1AA", ""),  # three lines with the name and postcode
        (["1", "2 Rd", "3", "4", "5"], "SM1 1AA", ""),  # seven
        (["1", "2 Rd", "3", "4", "5", "6"], "SM1 1AA", "NO_USABLE_ADDRESS"),
        ([], "SM1 1AA", "NO_USABLE_ADDRESS"),
        (["", "  ", "\t"], "SM1 1AA", "NO_USABLE_ADDRESS"),  # empty lines do not count
        (["", "1 Mill Lane", ""], "SM1 1AA", ""),
        (["1 Mill Lane"], "", "NO_USABLE_ADDRESS"),
        (["1 Mill Lane"], "SM1", "NO_USABLE_ADDRESS"),
        (["1 Mill Lane"], "sm11aa", ""),
        (["1 Mill Lane"], "W1A 0AX", ""),
        (["1 Mill Lane"], "EC1A 1BB", ""),
        (["1 Mill Lane"], "M1 1AE", ""),
        (["1 Mill Lane"], "GIR 0AA", ""),
        (["1 Mill Lane"], "QV1 1AA", "NO_USABLE_ADDRESS"),
        (["1 Mill Lane"], "SM1 1CA", "NO_USABLE_ADDRESS"),
        (["1 Mill Lane", "SM1 1AA"], "", ""),  # the postcode stands in the last line
        (["Royal Signals"], "BF1 2AX", ""),
        (["Royal Signals"], "BFPO 57", ""),
        (["Royal Signals", "BFPO 571"], "", ""),
        (["Royal Signals", "BFPO"], "", "NO_USABLE_ADDRESS"),
        (["1 Mill Lane"], "ZZ99 3VZ", "NO_FIXED_ABODE"),
        (["1 Mill Lane"], "ZZ99 3WZ", "NO_USABLE_ADDRESS"),  # pseudo-postcode: address not known
        (["No fixed abode", "Sutton"], "SM1 1AA", "NO_FIXED_ABODE"),
        (["nfa", "Sutton"], "SM1 1AA", "NO_FIXED_ABODE"),
        (["NFA House", "Sutton"], "SM1 1AA", ""),
        (["c/o Hostel (no fixed address)"], "SM1 1AA", "NO_FIXED_ABODE"),
        *[([f" {sign}1 Mill Lane"], "SM1 1AA", "NO_USABLE_ADDRESS") for sign in '@()=[]"\\/,<>~'],
        (["1 Mill Lane\n(rear)"], "SM1 1AA", "NO_USABLE_ADDRESS"),  # a line break inside makes a line
        (["1 Mill Lane (rear) @ [x] <y>, ~"], "SM1 1AA", ""),  # only at the beginning of a line
        (["'Rose Cottage'", "100% House"], "SM1 1AA", ""),
    ],
)
def test_addresses(lines: list[str], postcode: str, expected: str) -> None:
    assert hold(somebody(address_lines=lines, postcode=postcode), LETTER) == expected


def test_the_name_is_a_line_too() -> None:
    assert hold(somebody(given_name="(Dana"), LETTER) == "NO_USABLE_ADDRESS"


def test_the_block_is_trimmed_and_the_postcode_in_capitals() -> None:
    patient = somebody(
        given_name=" Dana ", family_name="Van  Dyke", address_lines=["", " 1  Mill\tLane "], postcode="sm1 1aa"
    )
    assert Patient.objects.annotate(block=holds.address_block()).get(pk=patient.pk).block == [
        "Dana Van Dyke",
        "1 Mill Lane",
        "SM1 1AA",
    ]


@pytest.mark.parametrize(
    ("mobile", "expected"),
    [
        ("07700900123", ""),
        ("+447700900123", ""),
        ("07624300000", ""),  # Isle of Man
        ("", "NO_USABLE_NUMBER"),
        ("0770090012", "NO_USABLE_NUMBER"),
        ("077009001234", "NO_USABLE_NUMBER"),
        ("02079460123", "NO_USABLE_NUMBER"),
        ("07012345678", "NO_USABLE_NUMBER"),  # a personal number
        ("07612345678", "NO_USABLE_NUMBER"),  # a pager
        ("+33612345678", "NO_USABLE_NUMBER"),
        ("07700 900123", ""),
        ("(07700) 900-123", ""),
        ("+44 7700 900 123", ""),
        ("07700 900", "NO_USABLE_NUMBER"),
        ("not known", "NO_USABLE_NUMBER"),
    ],
)
def test_mobiles(mobile: str, expected: str) -> None:
    assert hold(somebody(mobile=mobile), SMS) == expected


@given(st.from_regex(r"7[0-9]{9}", fullmatch=True))
def test_what_the_library_calls_a_uk_mobile_is_usable(digits: str) -> None:
    number = phonenumbers.parse(digits, "GB")
    kind = phonenumbers.number_type(number)
    if kind == phonenumbers.PhoneNumberType.MOBILE:
        assert re.search(holds.MOBILE, "0" + digits)
        assert re.search(holds.MOBILE, "+44" + digits)
    if kind in (phonenumbers.PhoneNumberType.PERSONAL_NUMBER, phonenumbers.PhoneNumberType.PAGER):
        assert not re.search(holds.MOBILE, "0" + digits)

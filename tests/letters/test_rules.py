"""When suppliers take messages, how many fragments texts are, and who is of working age."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters import rules


@pytest.mark.parametrize(
    ("uk_time", "hours", "is_in_them"),
    [
        (time(7, 59, 59), (time(8), time(20)), False),
        (time(8), (time(8), time(20)), True),
        (time(19, 59, 59), (time(8), time(20)), True),
        (time(20), (time(8), time(20)), False),
        (time(0), (time(8), time(20)), False),
        (time(23), (time(22), time(5)), True),  # past midnight
        (time(4, 59), (time(22), time(5)), True),
        (time(5), (time(22), time(5)), False),
        (time(12), (time(22), time(5)), False),
        (time(12), (time(12), time(12)), False),
    ],
)
def test_hours_hold_their_start_and_not_their_end(uk_time: time, hours: tuple[time, time], is_in_them: bool) -> None:
    assert rules.is_between(uk_time, *hours) is is_in_them


@pytest.mark.parametrize(
    ("setbacks", "seconds"), [(-1, 0), (0, 0), (1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (10_000, 300)]
)
def test_a_supplier_is_left_alone_twice_as_long_after_each_setback(setbacks: int, seconds: int) -> None:
    assert rules.rest_seconds(setbacks) == seconds


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two each
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 153, 3),  # the euro sign is not split
        ("ł" + "a" * 69, 1),  # one character outside GSM-7 makes it Unicode
        ("ł" + "a" * 70, 2),
        ("ł" * 134, 2),
        ("ł" * 135, 3),
        ("😀" * 35, 1),  # two UTF-16 units each
        ("😀" * 36, 2),
        ("é@£$à", 1),
        ("á" * 71, 2),  # á is not in the alphabet, à is
    ],
)
def test_fragments(text: str, fragments: int) -> None:
    assert rules.text_fragments(text) == fragments


@given(st.text(max_size=500), st.text(max_size=50))
def test_a_longer_text_never_has_fewer_fragments(text: str, more: str) -> None:
    assert rules.text_fragments(text + more) >= rules.text_fragments(text)


@pytest.mark.parametrize("mobile", ["07700900123", "+447700900123", "07700 900123"])
def test_numbers_as_providers_want_them(mobile: str) -> None:
    assert rules.e164(mobile) == "+447700900123"


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="Not a telephone number"):
        rules.e164("not known")


@pytest.mark.parametrize(
    ("born", "is_of_working_age"),
    [
        (date(2004, 3, 20), True),  # 16 today
        (date(2004, 3, 21), False),
        (date(1954, 3, 21), True),  # 66 tomorrow
        (date(1954, 3, 20), False),
        (date(1980, 2, 29), True),
    ],
)
def test_working_age(born: date, is_of_working_age: bool) -> None:
    assert rules.is_of_working_age(born, date(2020, 3, 20)) is is_of_working_age

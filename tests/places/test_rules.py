"""Postcode spelling, GSS codes, and who took over from whom."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielding.places.rules import Succession, Successions, normal_postcode, tier_of, took_over_on


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("SM1 1AA", "SM1 1AA"),
        ("sm11aa", "SM1 1AA"),
        ("  SM1  1AA ", "SM1 1AA"),
        ("AB101AA", "AB10 1AA"),
        ("m1 1ae", "M1 1AE"),
        ("B33 8TH", "B33 8TH"),
        ("w1a0ax", "W1A 0AX"),
        ("EC1A 1BB", "EC1A 1BB"),
        ("GIR 0AA", "GIR 0AA"),
        ("", None),
        ("SM1", None),
        ("SM1 1A", None),
        ("SM1 1AC", None),  # no C in the last two
        ("SM1 IAA", None),
        ("1SM 1AA", None),
        ("SM123 1AA", None),
        ("ZZZ1 1AA", None),
        ("SM1 1AA x", None),
    ],
)
def test_spells_a_postcode_or_says_it_is_none(text, postcode):
    assert normal_postcode(text) == postcode


@given(st.from_regex(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}", fullmatch=True), st.data())
def test_spelling_does_not_depend_on_case_or_spaces(postcode, data):
    compact = postcode.replace(" ", "")
    place = data.draw(st.integers(0, len(compact)))
    assert normal_postcode(f"{compact[:place]}  {compact[place:]}".lower()) == postcode


@pytest.mark.parametrize(
    ("gss_code", "tier"),
    [
        ("E06000060", "SINGLE_TIER"),
        ("E07000001", "DISTRICT"),
        ("E08000016", "SINGLE_TIER"),
        ("E09000029", "SINGLE_TIER"),
        ("E10000002", "COUNTY"),
        ("W06000023", "SINGLE_TIER"),
        ("S12000033", "SINGLE_TIER"),
        ("N09000002", "SINGLE_TIER"),
        ("E47000001", None),
        ("E99999999", None),
        ("L99999999", None),
        ("M99999999", None),
        ("E0600006", None),
        ("", None),
    ],
)
def test_a_gss_code_says_which_tier(gss_code, tier):
    assert tier_of(gss_code) == tier


@pytest.mark.parametrize(
    ("written", "first_day"), [(date(2020, 3, 31), date(2020, 4, 1)), (date(2023, 4, 1), date(2023, 4, 1))]
)
def test_an_end_date_is_the_last_day_or_the_day_after(written, first_day):
    assert took_over_on(written) == first_day


WEST, EAST, TOWN, COUNTY = "E07000001", "E07000002", "E07000003", "E10000001"
MERGED, UNITARY, RECODED = "E07000010", "E06000001", "E07000013"
SUCCESSIONS = Successions(
    [
        Succession(WEST, MERGED, date(2019, 4, 1)),
        Succession(EAST, MERGED, date(2019, 4, 1)),
        Succession(MERGED, UNITARY, date(2023, 4, 1)),
        Succession(COUNTY, UNITARY, date(2023, 4, 1)),
        Succession(TOWN, RECODED, date(2025, 4, 1)),
        Succession("E07000004", "E06000002", date(2021, 4, 1)),
        Succession("E07000004", "E06000003", date(2021, 4, 1)),
        Succession(COUNTY.replace("1", "2"), "E06000002", date(2021, 4, 1)),
    ]
)


@pytest.mark.parametrize(
    ("gss_code", "on", "authority"),
    [
        (WEST, date(2019, 3, 31), WEST),
        (WEST, date(2019, 4, 1), MERGED),
        (WEST, date(2023, 3, 31), MERGED),
        (WEST, date(2023, 4, 1), UNITARY),
        (MERGED, date(2018, 1, 1), MERGED),  # west or east: nobody can say
        (UNITARY, date(2020, 1, 1), MERGED),
        (RECODED, date(2020, 1, 1), TOWN),
        (RECODED, date(2025, 4, 1), RECODED),
        ("E07000004", date(2021, 3, 31), "E07000004"),
        ("E07000004", date(2021, 4, 1), None),  # split
        ("E09000029", date(2020, 1, 1), "E09000029"),
    ],
)
def test_an_area_is_found_as_of_a_date(gss_code, on, authority):
    assert SUCCESSIONS.as_of(gss_code, on) == authority


def test_a_circle_of_successions_ends():
    there, back = ("E07000001", "E07000002"), ("E07000002", "E07000001")
    circle = Successions([Succession(*there, date(2019, 4, 1)), Succession(*back, date(2020, 4, 1))])
    assert circle.as_of("E07000001", date(2021, 1, 1)) is None

"""Authorities from files of every shape: what each says, what is of no use, and loading again."""

from collections import Counter
from datetime import date

import pytest

from shielding.places.actions.authorities import load_local_authorities
from shielding.places.models import LocalAuthority, ResilienceForum, Successor
from shielding.tables import WrongFile
from tests.places.conftest import ALL_CODES, CONTACTS, FORUM_AREAS, GOVUK, MYSOCIETY

pytestmark = pytest.mark.django_db


def _reports(tables):
    return {report.file: report for report in load_local_authorities(tables=tables)}


def _rejects(report):
    return [(reject.line, reject.column, reject.reason) for reject in report.rejects]


def test_makes_authorities_of_every_file_whatever_their_order(country):
    _reports(country)
    found = {
        row.gss_code: (row.name, row.tier, row.county_id, row.resilience_forum_id, row.phone)
        for row in LocalAuthority.objects.all()
    }
    assert found == {
        "E10000901": ("Hexelshire County Council", "COUNTY", None, "E48000901", ""),
        "E07000901": ("Ashmarsh District Council", "DISTRICT", "E10000901", "E48000901", ""),
        "E07000902": ("Brackwell Borough Council", "DISTRICT", "E10000901", "E48000901", ""),
        "E06000901": ("Hexelshire Council", "SINGLE_TIER", None, "E48000901", ""),
        "E08000901": ("Corvel Metropolitan Borough Council", "SINGLE_TIER", None, None, "01632 960 001"),
        "E08000902": ("Badland", "SINGLE_TIER", None, None, ""),
        "E10000902": ("Dale County Council", "COUNTY", None, None, ""),
        "E07000903": ("Fen District Council", "DISTRICT", "E10000902", None, ""),
        "E07000904": ("Lost District Council", "DISTRICT", None, None, ""),
        "S12000901": ("Glen Council", "SINGLE_TIER", None, None, ""),
        "E08000020": ("Gateshead", "SINGLE_TIER", None, None, ""),
        "E08000037": ("Gateshead", "SINGLE_TIER", None, None, ""),
        "E07000905": ("Moor", "DISTRICT", None, None, ""),
        "E06000902": ("Moor", "SINGLE_TIER", None, None, ""),
        "E07000906": ("Heath", "DISTRICT", "E10000903", None, ""),
        "E10000903": ("Vale", "COUNTY", None, None, ""),
    }
    assert LocalAuthority.objects.get(pk="E08000901").website == "https://corvel.example/"
    assert set(ResilienceForum.objects.values_list("code", "name")) == {("E48000901", "Hexel"), ("moor", "Moor")}


def test_a_succession_begins_the_day_after_the_last_or_on_the_first_day(country):
    _reports(country)
    assert set(Successor.objects.values_list("predecessor_id", "successor_id", "on_date")) == {
        ("E10000901", "E06000901", date(2023, 4, 1)),
        ("E07000901", "E06000901", date(2023, 4, 1)),
        ("E07000902", "E06000901", date(2023, 4, 1)),
        ("E08000020", "E08000037", date(2013, 4, 1)),
    }
    ended = LocalAuthority.objects.exclude(end_date=None).values_list("gss_code", "end_date")
    assert dict(ended) == {
        "E10000901": date(2023, 3, 31),
        "E07000901": date(2023, 3, 31),
        "E07000902": date(2023, 3, 31),
        "E08000020": date(2013, 3, 31),
    }


def test_reports_each_row_of_no_use(country):
    reports = _reports(country)
    assert {file: _rejects(report) for file, report in reports.items() if report.rejects} == {
        "mysociety.csv": [
            (8, "gss-code", "empty"),
            (9, "start-date", "“first of May” is not a date; the rest of the row was used"),
        ],
        "govuk.csv": [
            (6, "tier_id", "E10000901 is the code of a COUNTY, tier_id says SINGLE_TIER"),
            (7, "parent_local_authority_id", "not a county in this file; the rest was used"),
            (8, "gss", "“X1” is not the code of a local authority"),
        ],
        "all_codes.csv": [
            (
                5,
                "LADCD_ACTIVE",
                "nobody says when E07000905 became E06000902: load the mySociety file, which has dates",
            )
        ],
        "ons.csv": [(3, "LTLA21CD", "“E92000001” is not the code of a local authority")],
        "forum_areas.csv": [
            (4, "lrf-statistical-geography", "no forum “E48000999”: load the forums' names with it"),
            (5, "la-statistical-geography", "no local authority “E07000999”: load the authorities"),
        ],
        "contacts.csv": [
            (3, "Telephone Number 1", "“01632 960002 or 01632 960003” is not one phone number"),
            (4, "Telephone Number 1", "empty"),
            (5, "SNAC Code", "empty: nothing says which authority this is"),
            (6, "SNAC Code", "no authority with SNAC code 99XX in the files loaded with this one"),
        ],
    }


def test_loading_again_changes_nothing_in_any_order(country):
    _reports(country)
    before = list(LocalAuthority.objects.order_by("pk").values())
    for tables in (country, list(reversed(country))):
        counts = sum((report.counts for report in _reports(tables).values()), Counter())
        assert +counts == {"rows about other bodies": 1}
    assert list(LocalAuthority.objects.order_by("pk").values()) == before


def test_a_single_successor_has_the_phone_of_its_predecessor(table):
    _reports([table(GOVUK.replace("E08000901", "E08000020"), "g.csv"), table(CONTACTS, "c.csv", "latin-1")])
    _reports([table(ALL_CODES, "a.csv")])
    assert LocalAuthority.objects.get(pk="E08000037").phone == "01632 960 001"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("hub,organisation\nx,y\n", "It has the columns hub, organisation"),
        (CONTACTS.replace("SNAC Code", "Snac"), "is not a file of authorities"),
        (CONTACTS, "keyed by SNAC code"),
        (MYSOCIETY + 'X,"never closed\n', "line 10: a quotation mark is never closed"),
    ],
)
def test_refuses_a_wrong_file_and_leaves_nothing_of_it(table, content, says):
    with pytest.raises(WrongFile, match=says):
        load_local_authorities(tables=[table(FORUM_AREAS, "areas.csv"), table(content, "wrong.csv")])
    assert not LocalAuthority.objects.exists()

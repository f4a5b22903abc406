"""Postcodes: every edition's columns, dirt, loading again, and the authority as of a date."""

import gzip
from datetime import date

import pytest

from shielding.places.actions.postcodes import load_postcodes
from shielding.places.models import LocalAuthority, Postcode, Successor
from shielding.places.queries import local_authorities_for, local_authority_for
from shielding.tables import WrongFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def areas():
    LocalAuthority.objects.create(gss_code="E07000901", name="Ashmarsh", tier="DISTRICT")
    LocalAuthority.objects.create(gss_code="E06000901", name="Hexelshire", tier="SINGLE_TIER")
    LocalAuthority.objects.create(gss_code="E09000901", name="Corvel", tier="SINGLE_TIER")
    Successor.objects.create(predecessor_id="E07000901", successor_id="E06000901", on_date=date(2023, 4, 1))


def _rows():
    return list(
        Postcode.objects.order_by("pk").values_list(
            "postcode", "local_authority_id", "introduced_date", "terminated_date"
        )
    )


@pytest.mark.parametrize(
    "content",
    [
        'pcd,pcd2,pcds,dointr,doterm,laua,lat\n"HX11AA","HX1  1AA","HX1 1AA","198001","199912","E07000901",53.1\n',
        "pcds,dointr,doterm,oslaua\nHX1 1AA,198001,199912,E07000901\n",
        "pcd7,dointr,doterm,lad25cd\nHX1 1AA,198001,199912,E07000901\n",
        "pcd,dointr,doterm,lad31cd\nhx11aa,198001,199912,E07000901\n",
        b"\xef\xbb\xbf" + b"pcds,dointr,doterm,laua\r\nHX1 1AA,198001,199912,E07000901",
        gzip.compress(b"pcds,dointr,doterm,laua\nHX1 1AA,198001,199912,E07000901\n", mtime=0),
    ],
)
def test_reads_every_edition(table, areas, content):
    report = load_postcodes(table=table(content))
    assert _rows() == [("HX1 1AA", "E07000901", date(1980, 1, 1), date(1999, 12, 1))]
    assert (report.rejects, report.counts["postcodes new"]) == ([], 1)


def test_the_derived_file_may_say_that_a_postcode_ended_without_saying_when(table, areas):
    report = load_postcodes(table=table("postcode,lad21cd,terminated\nHX1 1AA,E07000901,terminated\n"))
    assert _rows() == [("HX1 1AA", "E07000901", None, None)]
    assert report.counts["postcodes ended, nobody says when"] == 1


def test_reports_what_is_of_no_use_and_goes_on(table, areas):
    content = (
        "pcds,dointr,doterm,laua\n"
        "HX1 1AA,198001,,E07000901\n"
        "NONSENSE,198001,,E07000901\n"
        "HX1 1AB,198001,,\n"
        "JE2 3AB,198001,,L99999999\n"
        "HX1 1AD,198001,,E99999999\n"
        "HX1 1AE,198001,,E06000999\n"
        "HX1 1AF,198013,,E07000901\n"
        "HX1 1AG,198001,1999,E07000901\n"
        "hx1 1aa,198001,,E09000901\n"
        "HX1 1AH,198001\n"
        "HX1 1AJ,198001,,E09000901\n"
    )
    report = load_postcodes(table=table(content))
    assert [row[:2] for row in _rows()] == [("HX1 1AA", "E07000901"), ("HX1 1AJ", "E09000901")]
    assert [(reject.line, reject.column, reject.reason) for reject in report.rejects] == [
        (3, "pcds", "“NONSENSE” is not a postcode"),
        (4, "laua", "empty: the file knows no local authority for it"),
        (5, "laua", "L99999999 is not the code of a local authority"),
        (6, "laua", "E99999999 is not the code of a local authority"),
        (7, "laua", "no local authority E06000999: load a file of authorities that has it"),
        (8, "dointr", "“198013” is not a month YYYYMM"),
        (9, "doterm", "“1999” is not a month YYYYMM"),
        (10, "pcds", "the same postcode as in line 2"),
        (11, "", "the row has 2 cells where 4 are expected"),
    ]


def test_a_later_edition_changes_what_it_says_otherwise_and_counts_it(table, areas):
    load_postcodes(table=table("pcds,laua\nHX1 1AA,E07000901\nHX1 1AB,E07000901\n"))
    report = load_postcodes(table=table("pcds,laua\nHX1 1AA,E07000901\nHX1 1AB,E06000901\nHX1 1AD,E06000901\n"))
    assert report.counts == {"postcodes new": 1, "postcodes changed": 1, "postcodes the same": 1}
    assert Postcode.objects.get(pk="HX1 1AB").local_authority_id == "E06000901"


@pytest.mark.parametrize(
    ("content", "column", "says"),
    [
        ("pcds,ward\nHX1 1AA,W\n", "", "no column laua or ladNNcd"),
        ("pcds,lad21cd,lad25cd\nHX1 1AA,E07000901,E06000901\n", "", "several columns"),
        ("pcds,laua\nHX1 1AA,E07000901\n", "oslaua", "it has no column oslaua"),
        ("code,laua\nHX1 1AA,E07000901\n", "", "no column pcds"),
    ],
)
def test_refuses_a_wrong_file(table, areas, content, column, says):
    with pytest.raises(WrongFile, match=says):
        load_postcodes(table=table(content), column=column)
    assert not Postcode.objects.exists()


def test_refuses_postcodes_before_there_are_authorities(table):
    with pytest.raises(WrongFile, match="no local authorities yet"):
        load_postcodes(table=table("pcds,laua\nHX1 1AA,E07000901\n"))


def test_reads_the_column_it_is_told_to(table, areas):
    load_postcodes(table=table("pcds,lad21cd,lad25cd\nHX1 1AA,E07000901,E06000901\n"), column="lad25cd")
    assert _rows()[0][1] == "E06000901"


@pytest.mark.parametrize(
    ("postcode", "on", "authority"),
    [
        ("HX1 1AA", date(2023, 3, 31), "E07000901"),
        ("hx11aa", date(2023, 4, 1), "E06000901"),
        ("HX1 1AB", date(2020, 1, 1), "E09000901"),
        ("HX9 9ZZ", date(2020, 1, 1), None),
        ("nonsense", date(2020, 1, 1), None),
        ("", date(2020, 1, 1), None),
    ],
)
def test_finds_the_authority_of_a_postcode_as_of_a_date(table, areas, postcode, on, authority):
    load_postcodes(table=table("pcds,laua,doterm\nHX1 1AA,E07000901,\nHX1 1AB,E09000901,201001\n"))
    found = local_authority_for(postcode=postcode, on=on)
    assert (found.gss_code if found else None) == authority


def test_finds_many_in_three_queries(table, areas, django_assert_num_queries):
    load_postcodes(table=table("pcds,laua\nHX1 1AA,E07000901\nHX1 1AB,E09000901\n"))
    with django_assert_num_queries(3):
        found = local_authorities_for(["HX1 1AA", "hx1 1ab", "HX9 9ZZ"], date(2024, 1, 1))
    assert {postcode: str(authority) for postcode, authority in found.items()} == {
        "HX1 1AA": "Hexelshire",
        "hx1 1ab": "Corvel",
        "HX9 9ZZ": "None",
    }

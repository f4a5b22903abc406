"""Organisations from epraccur, the map of practices and the authorities; users and their memberships."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.test import RequestFactory

from shielding.accounts.actions import end_membership, load_organisations, make_user, sync_local_authorities
from shielding.accounts.models import Organisation, Role
from shielding.places.models import LocalAuthority
from shielding.tables import WrongFile, read_table

pytestmark = pytest.mark.django_db
AT = datetime(2020, 3, 14, 9, tzinfo=UTC)
MAP_HEADER = "PRACTICE_CODE,PRACTICE_NAME,PCN_CODE,PCN_NAME,STP_CODE,STP_NAME\n"


def _practice(code: str, name: str = "THE SURGERY", **cells: str) -> str:
    row = [""] * 27
    row[0], row[1], row[3], row[4], row[7], row[9] = code, name, "QAA", "1 STATION ROAD", "HEXEL", "HX1 1AA"
    row[10], row[12], row[17], row[25] = "19740401", "A", "01632 960001", "4"
    for place, text in cells.items():
        row[int(place[1:])] = text
    return ",".join(f'"{text}"' for text in row) + "\n"


@pytest.fixture
def table(tmp_path: Path):
    def make(content: str, name: str = "file.csv"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        return read_table(tmp_path / name)

    return make


def _rejects(report):
    return [(reject.line, reject.column, reject.reason) for reject in report.rejects]


def test_makes_open_and_closed_practices_of_epraccur(table):
    content = _practice("A99001") + _practice("A99002", c11="20171031", c12="C") + _practice("A99003", c25="10")
    (report,) = load_organisations(tables=[table(content + _practice("A99004", c12="D"))])
    first, second = Organisation.objects.order_by("code")
    assert (first.kind, first.name, first.address_lines, first.postcode, first.phone) == (
        "PRACTICE",
        "THE SURGERY",
        ["1 STATION ROAD", "HEXEL"],
        "HX1 1AA",
        "01632 960001",
    )
    assert (first.opened_date, first.closed_date) == (date(1974, 4, 1), None)
    assert (second.code, second.closed_date) == ("A99002", date(2017, 10, 31))
    assert report.counts == {
        "GP practice new": 2,
        "open practices in the file": 1,
        "rows about other prescribers": 1,
        "practices dormant or proposed, not loaded": 1,
    }


def test_reports_practices_of_no_use_and_goes_on(table):
    Organisation.objects.create(code="RX1", name="Hexel General", kind="HOSPITAL")
    content = (
        _practice("A99001", c9="NONSENSE")
        + _practice("A99001")
        + _practice("A99002", "")
        + _practice("A99003", c10="1974-04-01")
        + _practice("A99004", c12="C")
        + _practice("A99005", c11="20171340", c12="C")
        + _practice("RX1")
        + _practice("X")
        + '"A99006","TOO FEW"\n'
        + _practice("A99007", "x" * 201)
    )
    (report,) = load_organisations(tables=[table(content)])
    assert _rejects(report) == [
        (1, "10 (postcode)", "“NONSENSE” is not a postcode; the rest of the row was used"),
        (2, "1 (code)", "the same practice as in line 1"),
        (3, "2 (name)", "empty"),
        (4, "11 (opened)", "“1974-04-01” is not a date YYYYMMDD"),
        (5, "12 (closed)", "empty for a closed practice"),
        (6, "12 (closed)", "“20171340” is not a date YYYYMMDD"),
        (7, "1 (code)", "RX1 is the code of a Hospital"),
        (8, "1 (code)", "“X” is not an ODS code"),
        (9, "", "the row has 2 cells where 27 are expected"),
        (10, "", "a name, address line or phone number is too long"),
    ]
    assert set(Organisation.objects.values_list("code", flat=True)) == {"A99001", "RX1"}


def test_links_practices_to_networks_and_systems_whatever_the_order_of_files(table):
    rows = (
        "A99001,x,U90001,HEXEL PCN,QAA,Hexelshire\n"
        "A99002,x,U,UNALLOCATED,QAA,Hexelshire\n"
        "A99001,x,U90001,HEXEL PCN,QAA,Hexelshire\n"
        "A99009,x,U90001,HEXEL PCN,QAA,Hexelshire\n"
        "A99003,x,,,QAA,Hexelshire\n"
    )
    practices = table("".join(_practice(f"A9900{n}") for n in (1, 2, 3)), "epraccur.csv")
    mapped = table(MAP_HEADER + rows, "map.csv")
    reports = {report.file: report for report in load_organisations(tables=[mapped, practices])}
    assert {
        code: (pcn, ics) for code, pcn, ics in Organisation.objects.values_list("code", "pcn__code", "ics__code")
    } == {
        "QAA": (None, None),
        "U90001": (None, "QAA"),
        "A99001": ("U90001", "QAA"),
        "A99002": (None, "QAA"),
        "A99003": (None, "QAA"),
    }
    assert _rejects(reports["map.csv"]) == [
        (4, "PRACTICE_CODE", "the same practice as in line 2"),
        (5, "PRACTICE_CODE", "no practice “A99009”: epraccur, loaded first, has the practices"),
        (6, "PCN_CODE", "empty"),
    ]
    again = load_organisations(tables=[mapped, practices])
    assert not [words for report in again for words in report.counts if words.endswith(("new", "changed"))]


def test_a_practice_that_closes_or_moves_is_changed(table):
    load_organisations(tables=[table(_practice("A99001") + _practice("A99002"))])
    (report,) = load_organisations(tables=[table(_practice("A99001", c11="20200331", c12="C") + _practice("A99002"))])
    assert report.counts["GP practice changed"] == 1
    assert Organisation.objects.get(code="A99001").closed_date == date(2020, 3, 31)


@pytest.mark.parametrize(
    ("content", "shape", "says"),
    [
        ("ODSCode,Supplier\nA99001,TPP\n", "", "neither epraccur"),
        ("ODSCode,Supplier\nA99001,TPP\n", "epraccur", "it has 2 columns, not 27"),
        ("ODSCode,Supplier\nA99001,TPP\n", "practice-map", "no column PRACTICE_CODE"),
        (_practice("R0A", c25=""), "", "no GP practice"),
    ],
)
def test_refuses_a_wrong_file(table, content, shape, says):
    with pytest.raises(WrongFile, match=says):
        load_organisations(tables=[table(content)], shape=shape)
    assert not Organisation.objects.exists()


def test_councils_become_organisations_and_close_when_they_end():
    authority = LocalAuthority.objects.create(
        gss_code="E07000901", name="Ashmarsh", tier="DISTRICT", phone="01632 960001"
    )
    LocalAuthority.objects.create(gss_code="S12000901", name="Glen", tier="SINGLE_TIER")
    LocalAuthority.objects.create(gss_code="E07000902", name="Long gone", end_date=date(2019, 3, 31))
    assert sync_local_authorities(at=AT).counts == {"Local authority new": 1}
    council = Organisation.objects.get()
    assert (council.code, council.local_authority, council.phone) == ("E07000901", authority, "01632 960001")
    assert sync_local_authorities(at=AT).counts == {}
    LocalAuthority.objects.filter(pk="E07000901").update(end_date=date(2020, 3, 13), phone="")
    assert sync_local_authorities(at=AT).counts == {"Local authority changed": 1}
    council.refresh_from_db()
    assert (council.closed_date, council.phone) == (date(2020, 3, 13), "01632 960001")


@pytest.fixture
def practice():
    return Organisation.objects.create(code="A99001", name="The Surgery", kind="PRACTICE")


def test_a_made_user_can_sign_in_by_email(practice):
    user = make_user(
        email=" GP@Surgery.example ", name="Dr A", password="correct horse", organisation=practice, role=Role.GP
    )
    assert authenticate(RequestFactory().post("/"), email="gp@surgery.example", password="correct horse") == user
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        ("gp@surgery.example", True, True)
    ]
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_making_the_same_user_again_changes_the_password_and_adds_the_role(practice):
    first = make_user(email="a@surgery.example", name="A", password="one", organisation=practice, role=Role.GP)
    make_user(email="A@surgery.example", name="A B", password="two", organisation=practice, role=Role.GP)
    again = make_user(
        email="a@surgery.example", name="A B", password="two", organisation=practice, role=Role.ADMINISTRATOR
    )
    assert again == first
    assert (again.name, again.check_password("two"), again.is_staff) == ("A B", True, True)
    assert sorted(again.memberships.values_list("role", flat=True)) == ["ADMINISTRATOR", "GP"]


def test_a_membership_ends_once(practice):
    user = make_user(email="a@surgery.example", name="A", password="one", organisation=practice, role=Role.GP)
    membership = end_membership(membership=user.memberships.get(), at=AT)
    assert end_membership(membership=membership, at=AT + timedelta(days=1)).ended_at == AT
    make_user(email="a@surgery.example", name="A", password="one", organisation=practice, role=Role.GP)
    assert user.memberships.filter(ended_at=None).count() == 1

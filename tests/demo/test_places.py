import csv
import re
from io import StringIO

import pytest
from django.core.management import call_command

from shielding.accounts.models import Organisation
from shielding.demo.country import Country
from shielding.demo.places import make_places, postcode
from shielding.places.models import LocalAuthority, Postcode
from tests.demo.reading import near, rows_of

#: The government's postcode pattern, as schemas of the Cabinet Office publish it, without GIR 0AA.
POSTCODE = re.compile(
    r"([A-PR-UWYZ][0-9]{1,2}|[A-PR-UWYZ][A-HK-Y][0-9]{1,2}|[A-PR-UWYZ][0-9][A-HJKPSTUW]"
    r"|[A-PR-UWYZ][A-HK-Y][0-9][ABEHMNPRVWXY]) [0-9][ABD-HJLNP-UW-Z]{2}"
)


def test_the_first_practices_differ_in_size(patients: list[dict[str, str]], country: Country) -> None:
    sizes = [sum(row["practice_code"] == code for row in patients) for code in country.practice_codes]
    assert len(sizes) == 8
    assert 50 <= sizes[-1] < 100
    assert max(sizes) == sizes[2] > 2 * sorted(sizes)[1]


@pytest.mark.parametrize(
    ("people", "practices", "councils"),
    [(200, 3, 5), (20_000, 8, 5), (1_000_000, 116, 6), (56_000_000, 6512, 317)],
)
def test_places_grow_with_the_people(people: int, practices: int, councils: int) -> None:
    made = make_places(people, seed=2020)
    assert (len(made.practices), len(made.councils)) == (practices, councils)
    assert sum(practice.size for practice in made.practices) == people
    assert all(practice.size >= 50 for practice in made.practices)
    for unique in ("gss", "snac", "town", "name"):
        assert len({getattr(council, unique) for council in made.councils}) == councils
    taken: set[int] = set()
    for practice in made.practices:
        sectors = set(range(practice.sector, practice.sector + -(-(practice.units + 2) // 400)))
        assert not taken & sectors
        taken |= sectors
        assert POSTCODE.fullmatch(postcode(practice.sector, practice.units + 1))


def test_small_countries_have_a_county_with_two_districts_a_single_tier_and_a_london_borough(country: Country) -> None:
    rows = rows_of(country.reference / "local_authorities.csv")
    assert [(row["gss"][:3], row["tier_id"], row["parent_local_authority_id"]) for row in rows] == [
        ("E10", "1", ""),
        ("E07", "2", "1"),
        ("E07", "2", "1"),
        ("E06", "3", ""),
        ("E09", "3", ""),
    ]
    assert tuple(row["gss"] for row in rows) == country.council_codes


def test_reference_files_have_the_published_shapes(country: Country) -> None:
    folder = country.reference
    with (folder / "epraccur.csv").open(encoding="utf-8", newline="") as file:
        practices = list(csv.reader(file))
    assert {len(row) for row in practices} == {27}
    assert [row[0] for row in practices if row[12] == "A" and row[25] == "4"] == list(country.practice_codes)
    assert [(row[0], row[11]) for row in practices if row[12] == "C"] == [(country.closed_practice_code, "20171031")]
    mapped = rows_of(folder / "practice_map.csv")
    assert tuple(row["PRACTICE_CODE"] for row in mapped) == country.practice_codes
    assert len({row["PCN_CODE"] for row in mapped}) == 2
    snacs = {row["snac"] for row in rows_of(folder / "local_authorities.csv")}
    contacts = rows_of(folder / "contacts.csv", "latin-1")
    assert {row["SNAC Code"] for row in contacts} == snacs
    assert all(re.fullmatch("01632 960[0-9]{3}", row["Telephone Number 1"]) for row in contacts)
    with pytest.raises(UnicodeDecodeError):
        (folder / "contacts.csv").read_text(encoding="utf-8")
    forums = {row["statistical-geography"] for row in rows_of(folder / "lrf.csv")}
    pairs = rows_of(folder / "la_to_lrf.csv")
    assert {row["lrf-statistical-geography"] for row in pairs} == forums
    assert {row["la-statistical-geography"] for row in pairs} == {c for c in country.council_codes if c[:3] != "E10"}


def test_everybodys_postcode_is_in_the_postcode_file_but_for_the_planned_troubles(
    country: Country, patients: list[dict[str, str]]
) -> None:
    postcodes = {row["pcds"]: row for row in rows_of(country.reference / "postcodes.csv")}
    assert len(next(iter(postcodes.values()))) == 41
    assert all(POSTCODE.fullmatch(code) and code[:2] not in ("ZE", "ZZ") for code in postcodes)
    assert all(len(row["pcd"]) == 7 and len(row["pcd2"]) == 8 for row in postcodes.values())
    assert {row["laua"] for row in postcodes.values()} - {""} == {c for c in country.council_codes if c[:3] != "E10"}
    assert [row["ctry"] for row in postcodes.values() if not row["laua"]] == [""]
    live = {code for code, row in postcodes.items() if not row["doterm"] and row["laua"]}
    troubled = [row for row in patients if row["no_fixed_abode"] == "false" and row["postcode"] not in live]
    assert near(len(troubled), 0.0016 * len(patients))
    assert {member.council_code for member in country.cast.values()} <= {row["laua"] for row in postcodes.values()}
    for member in country.cast.values():
        if member.given_name != "Gwen":
            assert postcodes[member.postcode]["laua"] == member.council_code


@pytest.mark.django_db
def test_every_reference_file_loads_whole(country: Country) -> None:
    for kind, *names in (
        ("local-authorities", "local_authorities.csv", "la_to_lrf.csv", "lrf.csv", "contacts.csv"),
        ("organisations", "epraccur.csv", "practice_map.csv"),
        ("postcodes", "postcodes.csv"),
    ):
        call_command("load_reference", kind, *[str(country.reference / name) for name in names], stdout=StringIO())
    authorities = LocalAuthority.objects.order_by("gss_code")
    assert [authority.gss_code for authority in authorities] == sorted(country.council_codes)
    assert all(
        authority.phone and (authority.resilience_forum_id or authority.tier == "COUNTY") for authority in authorities
    )
    practices = Organisation.objects.filter(kind=Organisation.Kind.PRACTICE)
    assert {practice.code for practice in practices.filter(closed_date=None)} == set(country.practice_codes)
    assert [practice.code for practice in practices.exclude(closed_date=None)] == [country.closed_practice_code]
    assert not practices.filter(closed_date=None, pcn=None).exists()
    # All but the one without geography.
    assert Postcode.objects.count() == len(rows_of(country.reference / "postcodes.csv")) - 1

"""The real files of ../shared/reference. They are no part of this project: without them these tests skip."""

import csv
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models import Q

from cohort.codelists import SHAPES, read_codes, shape_of
from cohort.models import CodeList, CodeListCode
from shielding.accounts.models import Organisation
from shielding.places.models import LocalAuthority, Postcode
from shielding.places.queries import local_authorities_for, local_authority_for
from shielding.tables import Report, read_table

REFERENCE = settings.BASE_DIR.parent / "shared" / "reference"
CODE_LISTS = REFERENCE / "codelists"
ANNEX = "spl-icd10-opcs4-disease-groups-v2.0.csv"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs the real reference data in ../shared/reference"),
]
AUTHORITIES = [
    REFERENCE / "local_authorities" / name
    for name in (
        "localdirectgov_contact_details.csv",
        "drkane_la_all_codes.csv",
        "digital-land_statistical-geography-la-to-lrf-lookup.csv",
        "digital-land_local-resilience-forum.csv",
        "govuk_local_links_manager_local-authorities.csv",
        "ons_ltla21_to_utla21.csv",
        "mysociety_uk_local_authorities_current.csv",
    )
]


def _load(kind: str, *arguments: object, rejects: Path | None = None) -> tuple[str, list[dict[str, str]]]:
    out = StringIO()
    extra = ["--rejects", str(rejects)] if rejects else []
    call_command("load_reference", kind, *map(str, arguments), *extra, stdout=out)
    with (rejects or Path("/dev/null")).open(encoding="utf-8", newline="") as stream:
        return out.getvalue(), list(csv.DictReader(stream))


@pytest.fixture
def authorities():
    _load("local-authorities", *AUTHORITIES)


def test_practices_networks_and_systems(tmp_path):
    folder = REFERENCE / "nhs_organisations"
    files = folder / "gp-reg-pat-prac-map_2022-01.csv", folder / "epraccur_2024-01.csv"
    _, rejects = _load("organisations", *files, rejects=tmp_path / "rejects.csv")
    practices = Organisation.objects.filter(kind="PRACTICE")
    assert practices.filter(closed_date=None).count() == 6_750
    assert practices.exclude(closed_date=None).count() == 1_690
    assert Organisation.objects.filter(kind="ICS").count() == 42
    assert Organisation.objects.filter(kind="PCN").count() == 1_254
    linked = practices.exclude(pcn=None).select_related("pcn", "ics")
    assert linked.count() == 6_269
    densham = linked.get(code="A81001")
    assert (densham.name, densham.postcode, densham.pcn.name, densham.ics.code) == (
        "THE DENSHAM SURGERY",
        "TS18 1HU",
        "STOCKTON PCN",
        "QHM",
    )
    # Practices of 2022 that are dormant, gone or of another prescribing setting in 2024.
    assert {reject["column"] for reject in rejects} == {"PRACTICE_CODE"}
    assert len(rejects) == 207


def test_authorities_successors_and_forums(authorities):
    english = LocalAuthority.objects.filter(gss_code__startswith="E")
    standing = english.filter(end_date=None)
    assert standing.count() == 317
    assert Organisation.objects.filter(kind="LOCAL_AUTHORITY").count() == 317
    assert not standing.filter(resilience_forum=None).exists()
    assert not english.filter(tier="DISTRICT", county=None).exists()
    assert standing.filter(phone="").count() == 14
    forest_heath = LocalAuthority.objects.get(name="Forest Heath District Council")
    assert forest_heath.county.name == "Suffolk County Council"  # one of the files says Surrey


def test_every_english_authority_of_april_2021_is_reached_by_postcode(authorities, tmp_path):
    _, rejects = _load(
        "postcodes", REFERENCE / "postcodes" / "DERIVED_postcode_to_lad21.csv.gz", rejects=tmp_path / "rejects.csv"
    )
    assert (Postcode.objects.count(), len(rejects)) == (89_817, 13_378)
    assert sum(reject["reason"].startswith("empty") for reject in rejects) == 331
    one_each = list(Postcode.objects.distinct("local_authority_id").order_by("local_authority_id", "postcode"))
    then = local_authorities_for([row.postcode for row in one_each], date(2021, 4, 1))
    assert len({area.gss_code for area in then.values() if area.gss_code.startswith("E")}) == 309
    now = local_authorities_for([row.postcode for row in one_each], date(2026, 1, 1))
    assert len({area.gss_code for area in now.values() if area.gss_code.startswith("E")}) == 296
    assert not [area for area in now.values() if area.end_date]


@pytest.mark.parametrize(
    ("old", "before_date", "after_date", "after"),
    [
        ("E07000004", date(2020, 3, 31), date(2020, 4, 1), "Buckinghamshire Council"),
        ("E07000049", date(2019, 3, 31), date(2019, 4, 1), "Dorset Council"),
        ("E07000150", date(2019, 6, 1), date(2023, 6, 1), "North Northamptonshire Council"),
        ("E07000026", date(2019, 6, 1), date(2023, 6, 1), "Cumberland Council"),
        ("E07000030", date(2019, 6, 1), date(2023, 6, 1), "Westmorland and Furness Council"),
        ("E07000165", date(2023, 3, 31), date(2023, 4, 1), "North Yorkshire Council"),
        ("E07000191", date(2019, 3, 31), date(2022, 6, 1), "Somerset West and Taunton Council"),
        ("E07000191", date(2019, 3, 31), date(2023, 6, 1), "Somerset Council"),
    ],
)
def test_a_postcode_of_a_district_that_is_gone_follows_its_successors(authorities, old, before_date, after_date, after):
    Postcode.objects.create(postcode="HX1 1AA", local_authority_id=old)
    assert local_authority_for(postcode="HX1 1AA", on=before_date).gss_code == old
    assert local_authority_for(postcode="HX1 1AA", on=after_date).name == after


def test_every_edition_of_the_directories(authorities, tmp_path):
    files = [*sorted((REFERENCE / "postcodes").glob("NSPL*")), *sorted((REFERENCE / "postcodes").glob("onspd*"))]
    out, rejects = _load("postcodes", *files, rejects=tmp_path / "rejects.csv")
    assert Postcode.objects.count() == 41_559
    assert len(rejects) == 280
    assert [words in out for words in ("by laua", "by oslaua", "by lad25cd")] == [True] * 3
    live = Postcode.objects.filter(terminated_date=None)
    assert local_authority_for(postcode="SM1 1AA", on=date(2020, 4, 1)).name == "London Borough of Sutton"
    assert live.filter(Q(postcode__startswith="SR") & ~Q(local_authority__gss_code__startswith="E")).count() == 0


@pytest.mark.parametrize(
    ("name", "system", "codes", "rejected"),
    [
        ("opensafely_mab-av-non-users/nhsd-haematopoietic-stem-cell-transplant-opcs4.csv", "OPCS-4", 8, 0),
        ("opensafely_mab-av-non-users/nhsd-oral-steroid-drugs-snomed.csv", "SNOMED", 1, 0),
        ("opensafely_risk-factors-research/opensafely-diabetes.csv", "", 568, 1),
        ("opensafely_risk-factors-research/opensafely-asthma-diagnosis.csv", "", 194, 125),
        ("opensafely_risk-factors-research/opensafely-asthma-oral-prednisolone-medication.csv", "", 175, 9),
        ("opensafely_risk-factors-research/opensafely-ethnicity.csv", "CTV3", 266, 4),
        ("opensafely_vax-fourth-dose-RD/opensafely-midazolam-end-of-life.csv", "", 68, 0),
        ("opensafely_vax-fourth-dose-RD/opensafely-solid-organ-transplantation-snomed.csv", "", 284, 0),
        ("opensafely_vax-fourth-dose-RD/user-anschaf-respiratory-diagnoses-icd-10.csv", "ICD-10", 8_052, 0),
        ("ebmdatalab_asthma-meds/severe_asthma_inc_rule2.csv", "", 197, 0),
        ("ukrr-dialysis-opcs-4.csv", "OPCS-4", 16, 3),
        ("opensafely-dialysis.csv", "", 183, 14),
    ],
)
def test_real_code_lists(tmp_path, name, system, codes, rejected):
    arguments = [CODE_LISTS / name, "--slug", "real", "--name", "Real", *(["--system", system] if system else [])]
    _, rejects = _load("codelist", *arguments, rejects=tmp_path / "rejects.csv")
    assert (CodeListCode.objects.count(), len(rejects)) == (codes, rejected)
    assert "nothing to do" in _load("codelist", *arguments)[0]


def test_the_annex_in_full_is_one_list_for_each_disease_group(tmp_path):
    arguments = [CODE_LISTS / ANNEX, "--slug", "spl", "--name", "SPL", "--split-by", "DiseaseGroup"]
    _, rejects = _load("codelist", *arguments, rejects=tmp_path / "rejects.csv")
    assert {code_list.slug: code_list.versions.get().codes.count() for code_list in CodeList.objects.all()} == {
        "spl-transplant": 82,
        "spl-cancer-undergoing-active-chemo-radiotherapy": 442,
        "spl-haematological-cancers": 139,
        "spl-rare-genetic-metabolic-and-autoimmune-diseases": 70,
        "spl-respiratory": 40,
        "spl-congenital-heart": 19,
    }
    assert CodeListCode.objects.exclude(paired_code="").count() == 19
    assert CodeListCode.objects.filter(term__startswith="In X70-X74").count() == 55
    lines = {
        column: [int(row["line"]) for row in rejects if row["column"] == column] for column in ("CodeType", "Code")
    }
    assert lines == {"CodeType": [179, 180, 388, 389, 390], "Code": [392, *range(493, 500)]}


def test_every_real_code_list_is_read_or_asks_for_its_system():
    read = refused = 0
    for path in sorted(CODE_LISTS.rglob("*.csv")):
        table, report = read_table(path), Report(path.name, "")
        needs_system = not SHAPES[table.header].system and any(not of for _, of in SHAPES[table.header].codes)
        if needs_system:
            refused += 1
            with pytest.raises(CommandError, match="say it with --system"):
                _load("codelist", path, "--slug", "real", "--name", "Real")
        else:
            assert read_codes(table, shape_of(table), report)
            read += 1
            # Beside repeated codes, the dirt is known: one code eaten by a spreadsheet, five mistyped systems.
            others = [reject for reject in report.rejects if not reject.reason.startswith("the same code")]
            dirt = {"opensafely_risk-factors-research/opensafely-diabetes.csv": 1, ANNEX: 5}
            assert len(others) == dirt.get(path.relative_to(CODE_LISTS).as_posix(), 0)
    assert (read, refused) == (74, 106)
    assert not CodeList.objects.exists()


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("organisations", "nhs_organisations/etr_trusts_2022.csv", "no GP practice"),
        ("organisations", "nhs_organisations/ods_to_gp_system_supplier.csv", "neither epraccur"),
        ("local-authorities", "local_authorities/digital-land_hub.csv", "is not a file of authorities"),
        ("local-authorities", "local_authorities/localdirectgov_contact_details.csv", "keyed by SNAC code"),
        ("postcodes", "local_authorities/digital-land_hub.csv", "no column laua"),
    ],
)
def test_a_wrong_file_is_refused(kind, name, says):
    with pytest.raises(CommandError, match=says):
        _load(kind, REFERENCE / name)

"""The command: what it prints, the file of rejects, and files that are refused."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cohort.models import CodeList
from shielding.accounts.models import Organisation
from shielding.places.models import LocalAuthority, Postcode
from tests.places.conftest import FILES

pytestmark = pytest.mark.django_db
CODES = "Code,Code_Description,DiseaseGroup,CodeType\nC410,Bone,Cancer a/b,ICD-10\nB171,x,Transplant,OPCS-9\n"


def _run(*arguments) -> str:
    out = StringIO()
    call_command("load_reference", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_areas_then_postcodes(country, tmp_path):
    files = [tmp_path / name for name in FILES]
    out = _run("local-authorities", *files, "--rejects", tmp_path / "rejects.csv")
    assert "govuk.csv, line 8, column gss: “X1” is not the code of a local authority" in out
    rejects = (tmp_path / "rejects.csv").read_text(encoding="utf-8").splitlines()
    assert (rejects[0], len(rejects)) == ("file,line,column,reason", 14)
    assert set(Organisation.objects.values_list("code", flat=True)) == set(
        LocalAuthority.objects.filter(gss_code__startswith="E", end_date=None).values_list("gss_code", flat=True)
    )
    many = "".join(f"HX1 1{letter}A,\n" for letter in "ABDEFGHJLNPQ")
    (tmp_path / "pc.csv").write_text(f"pcds,laua\nHX1 1AB,E08000901\n{many}")
    out = _run("postcodes", tmp_path / "pc.csv")
    assert "postcodes new: 1." in out
    assert "and 2 more: --rejects FILE writes them all." in out


def test_one_wrong_postcode_file_stops_all_before_anything_is_written(country, tmp_path):
    LocalAuthority.objects.create(gss_code="E08000901", name="Corvel")
    (tmp_path / "good.csv").write_text("pcds,laua\nHX1 1AB,E08000901\n")
    (tmp_path / "wrong.csv").write_text("pcds,ward\nHX1 1AB,W1\n")
    with pytest.raises(CommandError, match=r"wrong.csv has no column laua or ladNNcd.*columns pcds, ward"):
        _run("postcodes", tmp_path / "good.csv", tmp_path / "wrong.csv")
    assert not Postcode.objects.exists()


def test_a_code_list_split_into_its_groups(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text(CODES)
    arguments = ["codelist", path, "--slug", "spl", "--name", "SPL", "--split-by", "DiseaseGroup"]
    out = _run(*arguments)
    assert "spl-cancer-a-b: 1 codes, version 1." in out
    assert "codes.csv, line 3, column CodeType: “OPCS-9” is not a code system" in out
    assert "this file is its newest version: nothing to do" in _run(*arguments)
    code_list = CodeList.objects.get()
    assert (code_list.name, code_list.versions.get().origin) == ("SPL: Cancer a/b", "codes.csv")


def test_a_file_read_in_another_way_is_refused_and_nothing_of_it_stays(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("code,term\nC410,Bone\n")
    _run("codelist", path, "--slug", "bone", "--name", "Bone", "--system", "ICD-10")
    with pytest.raises(CommandError, match="version 1 of bone, read in another way"):
        _run("codelist", path, "--slug", "bone", "--name", "Other", "--system", "OPCS-4")
    assert CodeList.objects.get().name == "Bone"


def test_a_file_without_a_usable_code_is_refused(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("code,term\nnonsense,Bone\n")
    with pytest.raises(CommandError, match="no code that can be used"):
        _run("codelist", path, "--slug", "bone", "--name", "Bone", "--system", "ICD-10")
    assert not CodeList.objects.exists()

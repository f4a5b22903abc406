"""Reading code lists of every shape, and publishing versions of them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cohort.actions.codelists import FileAlreadyUsed, load_code_list
from cohort.codelists import Code, expanded, has_check_digit, parsed, read_codes, shape_of
from cohort.models import CodeList
from shielding.tables import Report, WrongFile, read_table

AT = datetime(2020, 3, 14, 9, tzinfo=UTC)
SHUNT = Code("CTV3", "7A60.", term="Shunt")
# Real codes: 77386006 pregnant, 325427002 prednisolone 5 mg, 0603020T0AAACAC the same in BNF.


def _read(tmp_path: Path, content: str | bytes, *, split_by: str = "", **options: str):
    path = tmp_path / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_table(path)
    report = Report(table.name, "codelist")
    lists = read_codes(table, shape_of(table, **options), report, split_by=split_by)
    return lists, [(reject.line, reject.column, reject.reason) for reject in report.rejects]


PREGNANT = Code("SNOMED", "77386006", term="Pregnant")


@pytest.mark.parametrize(
    ("content", "options", "codes"),
    [
        ("code,term\n77386006,Pregnant\n", {"system": "SNOMED"}, [PREGNANT]),
        ("code, term\n77386006, Pregnant \n", {"system": "SNOMED CT"}, [PREGNANT]),
        ("\ufeffcode,term\r\n77386006,Pregnant\r\n", {"system": "snomed"}, [PREGNANT]),
        ("code\n77386006", {"system": "SNOMED"}, [Code("SNOMED", "77386006")]),
        ("id,name,active,notes\n77386006,Pregnant,y,direct\n", {}, [PREGNANT]),
        ("snomedcode,Ethnicity,Grouping_16,Grouping_6\n77386006,Pregnant,1,1\n", {}, [PREGNANT]),
        ("code,term,grouping_16_id,grouping_6_id\n77386006,Pregnant,1,1\n", {"system": "SNOMED"}, [PREGNANT]),
        ("CTV3ID,CTV3PreferredTermDesc,CTV3Source\n7A60.,Shunt,Map\n", {}, [SHUNT]),
        ("CTV3ID,CTV3PreferredTermDesc\n7A60.,Shunt\n", {}, [SHUNT]),
        (",CTV3ID,CTV3PreferredTermDesc,CTV3Source,Category\n0,7A60.,Shunt,Map,g\n", {}, [SHUNT]),
        ("CTV3ID,readterm/CTV3PreferredTermDesc,CTV3Source\n7A60.,Shunt,List\n", {}, [SHUNT]),
        ("CTV3Code,Description,CodeSource,Category\n1377.,Smoker,QOF,E\n", {}, [Code("CTV3", "1377.", "", "Smoker")]),
        ("Description,Code,Grouping_16,Grouping_6\nShunt,7A60.,1,1\n", {"system": "CTV3"}, [SHUNT]),
        ("icd10_code,name\nU071,Covid\n", {}, [Code("ICD-10", "U071", term="Covid")]),
        ("system,code,paired_code,term\nOPCS-4,B208,Y012,Thymus\n", {}, [Code("OPCS-4", "B208", "Y012", "Thymus")]),
        (
            "type,id,bnf_code,nm\namp,325427002,0603020T0AAACAC,Prednisolone\n",
            {},
            [Code("DMD", "325427002", "", "Prednisolone"), Code("BNF", "0603020T0AAACAC", "", "Prednisolone")],
        ),
        (
            "dmd_type,dmd_id,dmd_name,bnf_code\nVMP,325427002,Prednisolone,\n",
            {},
            [Code("DMD", "325427002", "", "Prednisolone")],
        ),
        (
            ",obj_type,vpid,snomed_id,bnf_code,dmd_name\n0,amp,325426006,325427002,0603020T0AAACAC,Prednisolone\n",
            {},
            [Code("DMD", "325427002", "", "Prednisolone"), Code("BNF", "0603020T0AAACAC", "", "Prednisolone")],
        ),
        (
            "obj_type,vpid,snomed_id,bnf_code,dmd_name,bnf_name,form_route\namp,1,325427002,,Prednisolone,P,tablet\n",
            {},
            [Code("DMD", "325427002", "", "Prednisolone")],
        ),
        ("A,B\n77386006,Pregnant\n", {"code_column": "A", "term_column": "B", "system": "SNOMED"}, [PREGNANT]),
        ("kind,nr\nICD10,J43.8 \n", {"code_column": "nr", "system_column": "kind"}, [Code("ICD-10", "J438")]),
    ],
)
def test_reads_every_known_shape(tmp_path, content, options, codes):
    assert _read(tmp_path, content, **options) == ({"": codes}, [])


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("Kode,Wort\nA,B\n", {}, "It has the columns Kode, Wort."),
        ("code,term\n77386006,x\n", {}, "--system"),
        ("code,term\n77386006,x\n", {"system": "LOINC"}, "LOINC is not a code system"),
        ("code,term\n77386006,x\n", {"code_column": "Code", "system": "SNOMED"}, "it has no column Code"),
        ("icd10_code,name\nU071,x\n", {"system": "SNOMED"}, "has codes of ICD-10, not of SNOMED"),
        ("", {}, "no first row"),
        ('code,term\n77386006,"never closed\n1,2\n', {"system": "SNOMED"}, "line 2: a quotation mark is never closed"),
    ],
)
def test_refuses_a_file_it_would_have_to_guess_at(tmp_path, content, options, says):
    with pytest.raises(WrongFile, match=says.replace("(", r"\(")):
        _read(tmp_path, content, **options)


def test_refuses_to_split_by_a_column_that_is_not_there(tmp_path):
    with pytest.raises(WrongFile, match="no column Group"):
        _read(tmp_path, "code,term\n77386006,x\n", system="SNOMED", split_by="Group")


@pytest.mark.parametrize(
    ("system", "text", "code"),
    [
        ("ICD-10", "J43.8", Code("ICD-10", "J438")),
        ("OPCS-4", "x40.1", Code("OPCS-4", "X401")),
        ("ICD-10", "D47Z1", Code("ICD-10", "D47Z1")),
        ("OPCS-4", "B208,Y012", Code("OPCS-4", "B208", "Y012")),
        ("OPCS-4", "B20.8 , Y01.2", Code("OPCS-4", "B208", "Y012")),
        ("OPCS-4", "X70-X74", Code("OPCS-4", "X70-X74")),
        ("CTV3", "D2...", Code("CTV3", "D2...")),
        ("CTV3", "xE0X2", Code("CTV3", "xE0X2")),
        ("READ2", "G20..", Code("READ2", "G20..")),
        ("OPCS-4", "B208,Y012,Y013", "more than a pair"),
        ("OPCS-4", "B208,B20.8", "pairs a code with itself"),
        ("OPCS-4", "B208,", "not a code of OPCS-4"),
        ("OPCS-4", "X74-X70", "not a range"),
        ("OPCS-4", "X701-X703", "not a range"),
        ("OPCS-4", "X70-X74,Y01", "not a range"),
        ("OPCS-4", "X7012", "a letter and two or three digits"),
        ("ICD-10", "438", "not a code of ICD-10"),
        ("SNOMED", "1.30056E+15", "6 to 18 digits"),
        ("SNOMED", "1300561000000100", "check digit"),
        ("SNOMED", "77386006,77386006", "6 to 18 digits"),
        ("DMD", "0325427002", "6 to 18 digits"),
        ("BNF", "0603020T0", "fifteen characters"),
        ("CTV3", "1434", "five characters"),
        ("CTV3", "14.34", "five characters"),
    ],
)
def test_reads_a_code_or_says_why_not(system, text, code):
    found = parsed(system, text)
    assert code in found if isinstance(code, str) and isinstance(found, str) else found == code


def test_reports_what_it_could_not_use_by_line_and_goes_on(tmp_path):
    content = (
        "Code,Code_Description,DiseaseGroup,CodeType\n"
        "C410,Bone,Cancer,ICD-10\n"
        "C4101,Bone,Cancer,ICD-101\n"
        "\n"
        '"C411,Y012","Two\nlines",Cancer,OPCS-4\n'
        "C41.0,Bone again,Cancer,ICD-10\n"
        "C410,Procedure of the same code,Cancer,OPCS-4\n"
        ",Nothing,Cancer,ICD-10\n"
        "C419,Nobody's,,ICD-10\n"
        "short,row\n"
    )
    codes, rejects = _read(tmp_path, content)
    assert [code.key for code in codes[""]] == [
        ("ICD-10", "C410", ""),
        ("OPCS-4", "C411", "Y012"),
        ("OPCS-4", "C410", ""),
        ("ICD-10", "C419", ""),
    ]
    assert rejects == [
        (3, "CodeType", "“ICD-101” is not a code system: they are SNOMED, DMD, BNF, ICD-10, OPCS-4, CTV3, READ2"),
        (7, "Code", "the same code as in line 2"),
        (9, "Code", "empty: there is no code"),
        (11, "", "the row has 2 cells where 4 are expected"),
    ]


def test_a_row_that_is_not_utf8_is_reported_alone(tmp_path):
    codes, rejects = _read(tmp_path, b"code,term\n77386006,Pregnant\n72892002,Caf\xe9\n", system="SNOMED")
    assert codes == {"": [PREGNANT]}
    assert rejects == [(3, "", "the row is not UTF-8")]


def test_a_medicine_row_counts_as_a_duplicate_only_if_both_its_codes_are_there(tmp_path):
    rows = [
        "type,id,bnf_code,nm",
        "amp,325426006,0603020T0AAACAC,One",
        "amp,325427002,0603020T0AAACAC,Another pack",
        "amp,325427002,0603020T0AAACAC,The same again",
        "amp,nonsense,0603020T0AAADAD,Half of use",
    ]
    codes, rejects = _read(tmp_path, "\n".join(rows))
    assert [code.code for code in codes[""]] == ["325426006", "0603020T0AAACAC", "325427002", "0603020T0AAADAD"]
    assert rejects == [
        (4, "id", "the same code as in line 3"),
        (5, "id", "“nonsense” is not a code of DMD: 6 to 18 digits"),
    ]


def test_splits_one_file_into_a_list_for_each_group(tmp_path):
    content = (
        "Code,Code_Description,DiseaseGroup,CodeType\n"
        "C410,Bone,Cancer,ICD-10\nB171,Thymus,Transplant,OPCS-4\nC410,Bone,Transplant,ICD-10\nC411,x,,ICD-10\n"
    )
    codes, rejects = _read(tmp_path, content, split_by="DiseaseGroup")
    assert {group: [code.code for code in codes] for group, codes in codes.items()} == {
        "Cancer": ["C410"],
        "Transplant": ["B171", "C410"],
    }
    assert rejects == [(5, "DiseaseGroup", "empty: the row belongs to no list")]


def test_a_range_means_each_category_and_all_below_it(tmp_path):
    opcs = [code.code for code in expanded(Code("OPCS-4", "X70-X71"))]
    assert opcs == ["X70", *(f"X70{n}" for n in range(10)), "X71", *(f"X71{n}" for n in range(10))]
    icd = [code.code for code in expanded(Code("ICD-10", "A99-B00"))]
    assert {"A99", "A990", "A99X", "A9999", "B00", "B0000", "B00X0"} <= set(icd)
    assert len(icd) == len(set(icd)) == 2 * (1 + 11 + 110)


def test_a_code_named_alone_keeps_its_term_beside_a_range(tmp_path):
    codes, rejects = _read(tmp_path, "code,term\nX70-X74,Delivery\nX702,Band 2\n", system="OPCS-4")
    terms = {code.code: code.term for code in codes[""]}
    assert len(terms) == 55
    assert (terms["X702"], terms["X703"]) == ("Band 2", "In X70-X74: Delivery")
    assert rejects == []


@pytest.mark.parametrize("code", ["77386006", "1300561000000107", "325427002", "28808611000001100"])
def test_a_check_digit_catches_every_changed_digit(code):
    assert has_check_digit(code)
    for place, digit in enumerate(code):
        for other in set("0123456789") - {digit}:
            assert not has_check_digit(code[:place] + other + code[place + 1 :])


def _load(rows: list[Code], sha256: str, *, name: str = "Pregnancy", slug: str = "pregnancy"):
    return load_code_list(slug=slug, name=name, rows=rows, origin="list.csv", sha256=sha256, at=AT)


@pytest.mark.django_db
def test_the_first_file_is_version_one_and_the_next_file_the_next():
    first = _load([PREGNANT, PREGNANT, Code("OPCS-4", "B208", "Y012", "Thymus")], "a" * 64)
    second = _load([PREGNANT], "b" * 64, name="Pregnant now")
    assert (first.number, first.codes.count(), first.loaded_at) == (1, 2, AT)
    assert (second.number, second.codes.count()) == (2, 1)
    assert CodeList.objects.get().name == "Pregnant now"


@pytest.mark.django_db
def test_the_same_file_again_is_a_no_op():
    _load([PREGNANT], "a" * 64)
    assert _load([PREGNANT], "a" * 64) is None
    assert CodeList.objects.get().versions.count() == 1


@pytest.mark.django_db
def test_one_file_may_make_versions_of_several_lists():
    assert _load([PREGNANT], "a" * 64).number == _load([PREGNANT], "a" * 64, slug="pregnant").number == 1


@pytest.mark.django_db
def test_a_file_does_not_make_a_version_twice():
    _load([PREGNANT], "a" * 64)
    with pytest.raises(FileAlreadyUsed, match="read in another way"):
        _load([Code("DMD", "77386006")], "a" * 64)
    _load([PREGNANT], "b" * 64)
    with pytest.raises(FileAlreadyUsed, match="version 1 of pregnancy, replaced by version 2"):
        _load([PREGNANT], "a" * 64)


@pytest.mark.django_db
def test_a_list_without_codes_is_never_published():
    with pytest.raises(ValueError, match="at least one code"):
        _load([], "a" * 64)
    assert not CodeList.objects.exists()

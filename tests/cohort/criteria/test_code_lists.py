"""Code lists in the browser: seen, searched, compared, and sent in with every unusable line told before saving."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from cohort.actions import drafts as actions
from cohort.models import CodeListVersion, CriterionVersion
from shielding.accounts.models import Membership
from tests.cohort.criteria.conftest import INHALER, PREDNISOLONE, make_list
from tests.cohort.factories import NOW

pytestmark = pytest.mark.django_db

ORIGIN = "NHS Digital, version 2"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def page(sign_in: Any, chidi: Membership) -> Any:
    return sign_in(chidi)


def send(page: Any, content: str, **data: Any) -> Any:
    file = SimpleUploadedFile("annex.csv", content.encode())
    about = {"code_list": "prednisolone", "origin": ORIGIN, "file": file} | data
    return page.post(reverse("cohort:upload_code_list"), about, follow=True)


def address(answer: Any) -> str:
    return str(answer.request["PATH_INFO"])


def test_lists_show_where_they_came_from_and_who_reads_them(page: Any, asthma: CriterionVersion) -> None:
    make_list("unread", INHALER)
    shown = text(page.get(reverse("cohort:code_lists")))
    assert "Prednisolone" in shown
    assert "Severe asthma" in shown
    assert "No criterion in force" in shown
    one = text(page.get(reverse("cohort:code_list", args=["prednisolone"])))
    assert "solid-transplant.csv" in one
    assert f"{1:064}" in one
    assert "Begin a draft of it" in one


def test_codes_are_found_by_code_and_term(page: Any) -> None:
    make_list("inhalers", INHALER, PREDNISOLONE)
    one = reverse("cohort:code_list", args=["inhalers"])
    assert text(page.get(one, {"search": "of 3254"})).count("Term of") == 1
    assert text(page.get(one, {"search": INHALER[:5]})).count("Term of") == 1
    assert "has “nothing”" in text(page.get(one, {"search": "nothing"}))


def test_a_new_version_is_read_shown_and_only_then_saved(
    page: Any, asthma: CriterionVersion, chidi: Membership
) -> None:
    lines = "dmd_type,dmd_id,dmd_name,bnf_code\nVMP,325427002,Prednisolone 5mg,\nVMP,12345,Wrong,\n"
    shown = send(page, lines)
    assert "1 code can be used" in text(shown)
    assert "is not a code of DMD" in text(shown)
    assert "Codes added: 1" in text(shown)
    assert "Codes removed: 1" in text(shown)
    assert CodeListVersion.objects.filter(code_list__slug="prednisolone").count() == 1
    saved = text(page.post(address(shown), follow=True))
    assert "Saved as version 2" in saved
    newest = CodeListVersion.objects.get(code_list__slug="prednisolone", number=2)
    assert (newest.origin, newest.loaded_by) == (f"annex.csv; {ORIGIN}", chidi.user)
    assert list(newest.codes.values_list("system", "code")) == [("DMD", "325427002")]
    differs = text(page.get(reverse("cohort:compare_code_lists", args=["prednisolone"])))
    assert "Prednisolone 5mg" in differs
    assert "That file is no longer here" in text(page.get(address(shown), follow=True))
    again = send(page, lines)
    assert "Nothing to save" in text(page.post(address(again), follow=True))


def test_the_draft_of_a_reader_takes_the_newest_version_on_request(
    page: Any, asthma: CriterionVersion, chidi: Membership
) -> None:
    make_list("prednisolone", PREDNISOLONE, "325427002", number=2)
    draft = actions.begin_draft(criterion=asthma.criterion, by=chidi, at=NOW)
    one = reverse("cohort:draft", args=[draft.pk])
    assert "and there is version 2" in text(page.get(one))
    lists = reverse("cohort:draft_lists", args=[draft.pk])
    shown = text(page.post(lists, {"seen": 1, "list": "prednisolone"}, follow=True))
    assert "Took the newest version of prednisolone" in shown
    assert "and there is version 2" not in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "is not a code list of a known shape. It has the columns a, b."),
        ("code,term\n195967001,Asthma\n", "does not say of which system its codes are: choose it below"),
        ("code,term\n\x00,\n", "does not say of which system"),
        ("system,code,paired_code,term\nSNOMED,12,,Wrong\n", "No line of the file has a code that can be used"),
    ],
)
def test_a_file_that_cannot_be_read_so_says_why_and_what_to_choose(
    content: str, words: str, page: Any, asthma: CriterionVersion
) -> None:
    shown = send(page, content)
    assert shown.status_code == 200
    assert words in text(shown)
    assert "Save as the next version" not in text(shown)
    assert page.post(address(shown)).status_code == 200
    assert CodeListVersion.objects.filter(code_list__slug="prednisolone").count() == 1


def test_columns_are_chosen_where_the_header_is_not_known(page: Any, asthma: CriterionVersion) -> None:
    shown = send(page, "concept,meaning\n195967001,Asthma\n")
    choices = {"code_column": "concept", "term_column": "meaning", "system": "SNOMED"}
    read = page.get(address(shown), choices)
    assert "1 code can be used" in text(read)
    assert "Saved as version 2" in text(page.post(address(shown), choices, follow=True))
    code = CodeListVersion.objects.get(number=2).codes.get()
    assert (code.system, code.code, code.term) == ("SNOMED", "195967001", "Asthma")


def test_pairs_and_ranges_are_understood(page: Any, asthma: CriterionVersion) -> None:
    shown = send(
        page,
        "Code,Code_Description,DiseaseGroup,CodeType\n"
        '"B208,Y012",Pair,Transplants,OPCS4\nX70-X71,Range,Harm,ICD10\nX74-X70,Backwards,Harm,ICD10\n',
        code_list="",
        new_name="Annex",
        new_slug="annex",
    )
    assert "is not a range" in text(shown)
    page.post(address(shown))
    codes = CodeListVersion.objects.get(code_list__slug="annex").codes
    assert codes.get(paired_code="Y012").code == "B208"
    # a category, and below each its ten fourth digits and filler X, each alone and with ten fifth digits
    assert codes.filter(system="ICD-10").count() == 2 * (1 + 11 * 11)


def test_one_list_of_a_file_of_several_is_chosen(page: Any, asthma: CriterionVersion) -> None:
    lines = "Code,Code_Description,DiseaseGroup,CodeType\nE84,Cystic fibrosis,Lungs,ICD10\nC34,Cancer,Cancer,ICD10\n"
    shown = send(page, lines)
    asked = page.get(address(shown), {"split_by": "DiseaseGroup"})
    assert "The file has 2 lists" in text(asked)
    assert "1 code can be used" in text(page.get(address(shown), {"split_by": "DiseaseGroup", "group": "Lungs"}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"code_list": ""}, "Enter the name of the new list"),
        ({"code_list": "", "new_name": "X", "new_slug": "Big Letters"}, "must be small letters"),
        ({"code_list": "", "new_name": "X", "new_slug": "prednisolone"}, "That is the short name of Prednisolone"),
        ({"origin": ""}, "Enter where the file comes from"),
        ({"file": ""}, "Select a file"),
        ({"file": SimpleUploadedFile("empty.csv", b"")}, "The submitted file is empty"),
    ],
)
def test_what_is_missing_is_told(data: dict[str, Any], words: str, page: Any, asthma: CriterionVersion) -> None:
    assert words in text(send(page, "code\nx\n", **data))

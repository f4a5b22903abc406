"""The operator's page of one extract: what was wrong, the rejected rows, and mended rows sent again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cohort.actions.extracts import LoadReport
from cohort.models import Extract, MendedRows, SourceAgeLimit
from cohort.queries.extracts import newest_extracts, stale_extracts
from cohort.tasks import resume_mending
from shielding.accounts.models import Membership, Organisation, Role
from shielding.audit.models import ReadLog
from tests.cohort.extracts.conftest import AS_AT, BOB, EVENTS, PEOPLE, write
from tests.cohort.factories import MembershipFactory, OrganisationFactory

Load = Callable[..., LoadReport]


@pytest.fixture
def membership(db: None) -> Membership:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR)


@pytest.fixture
def operator(membership: Membership, sign_in: Any) -> Any:
    return sign_in(membership)


@pytest.fixture
def extract(load: Load, tmp_path: Path) -> Extract:
    people = [PEOPLE[0], PEOPLE[1] | {"sex": "X"}, PEOPLE[2] | {"sex": "Y"}]
    return load(write(tmp_path / "in", {"patients": people, "events": EVENTS})).extract


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_tells_counts_reasons_and_first_lines_and_no_person(operator: Any, extract: Extract) -> None:
    assert f"/extracts/{extract.pk}/" in text(operator.get("/extracts/"))
    page = text(operator.get(f"/extracts/{extract.pk}/"))
    assert "1 accepted, 2 rejected." in page
    assert "is not one of F, M, O, U" in page
    assert "Download rejected rows of patients.csv" in page
    assert not any(word in page for word in ("Amina", "Marsh", BOB))
    extract.refresh_from_db()
    (reasons,) = (file["reasons"] for file in extract.files if file["file"] == "patients.csv")
    assert reasons == [{"column": "sex", "reason": "is not one of F, M, O, U", "rows": 2, "first_line": 3}]


def test_rejected_rows_are_downloaded_logged_and_never_cached(operator: Any, extract: Extract) -> None:
    answer = operator.get(f"/extracts/{extract.pk}/rejected/patients.csv")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert content.splitlines()[0].startswith('"line","column","reason","nhs_number"')
    assert "Marsh" in content
    assert "no-store" in answer["Cache-Control"]
    assert "attachment" in answer["Content-Disposition"]
    assert ReadLog.objects.get().what == "cohort:rejected_rows"


@pytest.mark.parametrize("name", ["other.csv", "..", "patients.parquet"])
def test_no_other_file_is_given(operator: Any, extract: Extract, name: str) -> None:
    assert operator.get(f"/extracts/{extract.pk}/rejected/{name}").status_code == 404


def test_mended_rows_are_sent_and_the_page_leads_to_the_new_extract(operator: Any, extract: Extract) -> None:
    address = f"/extracts/{extract.pk}/"
    content = b"".join(operator.get(f"{address}rejected/patients.csv").streaming_content).replace(b'"X"', b'"M"')
    sent = {"name": "patients.csv", "file": SimpleUploadedFile("mended.csv", content)}
    assert "Waiting for a worker" in text(operator.post(address, sent, follow=True))
    again = {"name": "patients.csv", "file": SimpleUploadedFile("mended.csv", content)}
    assert "are being added now" in text(operator.post(address, again))
    resume_mending()
    page = text(operator.get(address))
    result = MendedRows.objects.get().result
    assert result is not None
    assert "Searches no longer read this extract" in page
    assert f"/extracts/{result.pk}/" in page
    assert "1 of 2 mended rows of patients.csv were added" in text(operator.get(f"/extracts/{result.pk}/"))


def test_a_refused_file_says_why(operator: Any, extract: Extract) -> None:
    address = f"/extracts/{extract.pk}/"
    operator.post(address, {"name": "patients.csv", "file": SimpleUploadedFile("mended.csv", b"nonsense")})
    resume_mending()
    page = text(operator.get(address))
    assert "Nothing was changed" in page
    assert "The first columns must be line, column, reason" in page
    assert "There is a problem" in text(operator.post(address, {}))


def test_a_practice_sees_none_of_it(extract: Extract, sign_in: Any) -> None:
    gp = sign_in(MembershipFactory(organisation=Organisation.objects.get(code="Z90001"), role=Role.GP))
    assert gp.get(f"/extracts/{extract.pk}/").status_code == 403
    assert gp.get(f"/extracts/{extract.pk}/rejected/patients.csv").status_code == 403
    assert gp.post(f"/extracts/{extract.pk}/", {}).status_code == 403


def test_each_supplier_has_its_own_age_limit(extract: Extract, settings: Any) -> None:
    day = AS_AT.replace(day=AS_AT.day + 5)
    assert stale_extracts(newest_extracts(), on=day) == []
    SourceAgeLimit.objects.create(supplier=extract.supplier, days=4)
    assert stale_extracts(newest_extracts(), on=day) == [extract]
    SourceAgeLimit.objects.update(days=5)
    assert stale_extracts(newest_extracts(), on=day) == []


def test_an_administrator_sets_an_age_limit(db: None, sign_in: Any) -> None:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    admin = MembershipFactory(organisation=centre, role=Role.ADMINISTRATOR, user__is_staff=True)
    answer = sign_in(admin).post("/admin/cohort/sourceagelimit/add/", {"supplier": "gp", "days": "3"})
    assert answer.status_code == 302
    assert SourceAgeLimit.objects.get(supplier="gp").days == 3

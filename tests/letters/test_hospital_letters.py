"""A hospital unit writes to its own patients: never to the dead or others', with a copy to the practice."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from cohort.models import Patient
from letters.actions.batches import NobodyDue, write_to_own_patients
from letters.actions.templates import load_templates
from letters.models import Message
from letters.queries import contact_counts, copies, first_campaign, uk_date
from letters.tasks import work_outbox
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from shielding.ledger import ledger
from tests.cohort.factories import NOW, ListEntryFactory
from tests.cohort.hospitals.scene import AMINA, BOB, Scene, entry_of, make_scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db: None, settings: Any) -> Scene:
    made = make_scene(settings)
    load_templates(at=NOW)
    made.send(made.row(), made.row(BOB))
    Patient.objects.update(unsafe_channels=[], address_lines=["1 Mill Lane", "Sutton"])
    return made


def write(scene: Scene) -> Any:
    batch = write_to_own_patients(by=scene.staff, at=NOW)
    work_outbox()
    return batch


def test_a_unit_writes_to_its_own_and_the_practice_gets_the_copy(scene: Scene) -> None:
    ListEntryFactory(
        practice_list=scene.practice_list, review_state="CONFIRMED", reviewed_at=NOW, reviewed_by=scene.gp.user
    )
    batch = write(scene)
    assert batch.unit == scene.unit
    people = set(Message.objects.filter(state="HANDED_OVER").values_list("patient__nhs_number", flat=True))
    assert people == {AMINA, BOB}
    client = Client()
    client.force_login(scene.gp.user)
    amina = entry_of(AMINA).pk
    page = client.get(reverse("letters:copies", args=[amina]))
    assert "St Anselm&#39;s Renal Unit" in page.content.decode()
    (message,) = copies(scene.gp, amina)
    pdf = client.get(reverse("letters:copy", args=[amina, message.pk]))
    text = " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf.content)).pages)
    assert "a second letter like this one from your GP practice, Mill Lane Surgery" in " ".join(text.split())
    assert "St Anselm" in text
    assert ReadLog.objects.filter(what="letters:copy", patient_ids=[amina]).exists()


def test_whoever_had_a_units_letter_counts_as_contacted_in_the_ledger(scene: Scene) -> None:
    write(scene)
    counts = contact_counts(first_campaign(), uk_date(NOW))
    assert (counts["contacted"], counts["contacted_by_hospitals"]) == (2, 2)
    told = ledger()
    assert told.differences == []
    assert told.as_json()["contacted_by_hospitals"] == 2
    assert [stage.note for stage in told.stages if stage.note] == [
        "2 of those contacted have had a letter of their hospital unit."
    ]


def test_the_dead_are_never_written_to_even_if_they_died_since(scene: Scene) -> None:
    write_to_own_patients(by=scene.staff, at=NOW)
    Patient.objects.filter(nhs_number=AMINA).update(death_status="INFORMAL")
    work_outbox()
    assert dict(Message.objects.values_list("patient__nhs_number", "state")) == {AMINA: "HELD", BOB: "HANDED_OVER"}


def test_nobody_gets_a_units_letter_twice_nor_once_they_are_taken_back(scene: Scene) -> None:
    write(scene)
    with pytest.raises(NobodyDue):
        write_to_own_patients(by=scene.staff, at=NOW)
    scene.send(scene.row(), by=scene.other_staff)
    with pytest.raises(NobodyDue):  # another unit's letter is for the same purpose
        write_to_own_patients(by=scene.other_staff, at=NOW)


def test_other_practices_see_no_copy_and_other_roles_write_no_letter(scene: Scene) -> None:
    write(scene)
    amina = entry_of(AMINA).pk
    client = Client()
    client.force_login(scene.other_staff.user)
    assert client.get(reverse("letters:copies", args=[amina])).status_code == 403
    assert "nobody to write to" in client.get(reverse("letters:unit_letters")).content.decode()
    from tests.cohort.factories import MembershipFactory

    client.force_login(MembershipFactory().user)
    assert "No hospital has written" in client.get(reverse("letters:copies", args=[amina])).content.decode()
    (message,) = copies(scene.gp, amina)
    assert client.get(reverse("letters:copy", args=[amina, message.pk])).status_code == 404
    with pytest.raises(NotAllowed):
        write_to_own_patients(by=scene.gp, at=NOW)


def test_the_units_page_says_how_many_and_sends(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.staff.user)
    address = reverse("letters:unit_letters")
    assert "Send 2 letters" in client.get(address).content.decode()
    assert "on their way to the printer" in client.post(address, follow=True).content.decode()
    assert Message.objects.count() == 2

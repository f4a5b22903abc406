"""Working a released batch: making, releasing with the hold check, handing over."""

import hashlib
import io
import json
import zipfile
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pypdf import PdfReader

from cohort.models import ListEntry, Patient
from cohort.rules import Channel
from letters.actions import batches, outbox
from letters.actions.outbox import claiming, sweeping
from letters.models import HandOver
from letters.tasks import work_outbox
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import LATER, printed, sent, sent_once, states, work


@pytest.mark.django_db
def test_nothing_goes_before_the_batch_is_released(mailing: Mailing) -> None:
    validated()
    batch = mailing.plan()
    work()
    assert states(batch) == {"WAITING": 1}
    assert sent() == []


@pytest.mark.django_db
def test_a_released_batch_goes_out_and_is_finished(mailing: Mailing) -> None:
    for _ in range(3):
        validated()
    batch = mailing.released()
    work()
    batch.refresh_from_db()
    assert batch.state == "FINISHED"
    assert states(batch) == {"HANDED_OVER": 3}
    assert sent_once()
    message = batch.messages.first()
    assert (message.released_at, message.holds_checked_at, message.holds_checked_against) == (
        NOON,
        NOON,
        message.patient.as_at,
    )


@pytest.mark.django_db
def test_the_task_works_until_nothing_is_left_and_may_run_again(mailing: Mailing, monkeypatch: Any) -> None:
    monkeypatch.setitem(claiming.CHUNK, Channel.LETTER, 2)
    for _ in range(5):
        validated()
    batch = mailing.released()
    assert work_outbox() == 5
    assert work_outbox() == 0
    assert HandOver.objects.filter(batch=batch).count() == 3
    assert sent_once()


@pytest.mark.django_db
def test_manifest_and_ledger_match_the_files(mailing: Mailing) -> None:
    for name in ("Amina", "Dana"):
        validated(given_name=name)
    batch = mailing.released()
    work()
    handed_over = HandOver.objects.get(batch=batch)
    whole = Path(settings.HANDOVER_FOLDER) / handed_over.file_name
    manifest = json.loads((whole.parent / "manifest.json").read_text())
    assert whole.parent.name == str(handed_over.id) == manifest["hand_over"]
    assert (manifest["batch"], manifest["count"]) == (str(batch.id), 2)
    assert handed_over.sha256 == manifest["sha256"] == hashlib.sha256(whole.read_bytes()).hexdigest()
    with zipfile.ZipFile(whole) as archive:
        assert archive.namelist() == [each["file"] for each in manifest["pdfs"]] == ["001-standard-en.pdf"]
        for each in manifest["pdfs"]:
            pdf = archive.read(each["file"])
            assert hashlib.sha256(pdf).hexdigest() == each["sha256"]
            assert len(PdfReader(io.BytesIO(pdf)).pages) == each["pages"]
    assert {entry["file"] for entry in manifest["messages"]} == {"001-standard-en.pdf"}
    assert "Amina" not in (whole.parent / "manifest.json").read_text()
    assert not list(whole.parent.parent.glob(".*"))


@pytest.mark.django_db
def test_texts_go_as_lines_with_number_words_and_fragments(mailing: Mailing) -> None:
    patient = validated(mobile="07700900123")
    batch = mailing.released(Channel.SMS)
    work()
    handed_over = HandOver.objects.get(batch=batch)
    line = json.loads((Path(settings.HANDOVER_FOLDER) / handed_over.file_name).read_text())
    assert line["reference"] == patient.messages.get().reference
    assert line["number"] == "+447700900123"
    assert line["text"].startswith("NHS, for Mill Lane Surgery")
    assert patient.family_name not in line["text"]
    assert line["fragments"] == 1


@pytest.mark.django_db
def test_no_text_goes_at_night_and_letters_do(mailing: Mailing) -> None:
    validated()
    texts, letters = mailing.released(Channel.SMS), mailing.released()
    work(NOON.replace(hour=20))
    assert (states(texts), states(letters)) == ({"WAITING": 1}, {"HANDED_OVER": 1})
    work(NOON.replace(hour=8) + timedelta(days=1))
    assert states(texts) == {"HANDED_OVER": 1}


@pytest.mark.django_db
def test_text_hours_can_be_set(mailing: Mailing, settings: Any) -> None:
    settings.TEXT_HOURS = (time(9), time(10))
    validated()
    batch = mailing.released(Channel.SMS)
    work()
    assert states(batch) == {"WAITING": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"death_status": "INFORMAL"}, "REPORTED_DEAD"),
        ({"unsafe_channels": ["LETTER"]}, "UNSAFE_CHANNEL"),
        ({"is_restricted": True}, "RESTRICTED"),
    ],
)
def test_a_hold_set_after_making_is_honoured_by_the_release(mailing: Mailing, wrong: Any, reason: str) -> None:
    safe, unsafe = validated(given_name="Amina"), validated(given_name="Dana")
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    Patient.objects.filter(pk=unsafe.pk).update(**wrong)
    key = outbox.release(claimed=claimed, made=made, at=NOON)
    assert key
    outbox.hand_over(key=key, at=NOON, made=made)
    assert states(batch) == {"HANDED_OVER": 1, "HELD": 1}
    assert unsafe.messages.get().hold_reason == reason
    assert sent() == [str(safe.messages.get().id)]
    assert "Amina" in printed()
    assert "Dana" not in printed()


@pytest.mark.django_db
def test_somebody_taken_off_the_list_is_held(mailing: Mailing) -> None:
    patient = validated()
    batch = mailing.released()
    ListEntry.objects.filter(patient=patient).update(is_on_list=False)
    work()
    assert states(batch) == {"HELD": 1}
    assert patient.messages.get().hold_reason == "OFF_LIST"


@pytest.mark.django_db
def test_a_hold_that_is_gone_lets_the_letter_go_and_opens_the_batch_again(mailing: Mailing) -> None:
    patient = validated(death_status="INFORMAL")
    batch = mailing.released()
    work()
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("FINISHED", {"HELD": 1})
    Patient.objects.filter(pk=patient.pk).update(death_status="")
    work()
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("FINISHED", {"HANDED_OVER": 1})


@pytest.mark.django_db
def test_many_held_are_looked_through_once_in_five_minutes(mailing: Mailing, monkeypatch: Any) -> None:
    monkeypatch.setattr(sweeping, "FEW_HELD", 0)
    patient = validated(death_status="INFORMAL")
    validated(death_status="FORMAL")
    batch = mailing.released()
    work(NOON)
    Patient.objects.filter(pk=patient.pk).update(death_status="")
    work(NOON + timedelta(minutes=5, seconds=-1))
    assert states(batch) == {"HELD": 2}
    work(NOON + timedelta(minutes=5))
    assert states(batch) == {"HELD": 1, "HANDED_OVER": 1}


@pytest.mark.django_db
def test_a_hold_that_changes_is_kept_with_its_new_reason(mailing: Mailing) -> None:
    patient = validated(death_status="INFORMAL")
    mailing.plan()
    Patient.objects.filter(pk=patient.pk).update(death_status="FORMAL")
    assert outbox.requeue_unheld(at=LATER) == 0
    held = patient.messages.get()
    assert (held.state, held.hold_reason, held.holds_checked_at) == ("HELD", "DIED", LATER)


@pytest.mark.django_db
def test_a_letter_that_cannot_be_made_fails_with_the_reason_and_can_be_tried_again(mailing: Mailing) -> None:
    good, bad = validated(), validated(address_lines=["x" * 100, "Sutton"])
    batch = mailing.released()
    work()
    assert states(batch) == {"HANDED_OVER": 1, "FAILED": 1}
    assert bad.messages.get().failure == "The address does not fit the window."
    Patient.objects.filter(pk=bad.pk).update(address_lines=["1 Mill Lane", "Sutton"])
    assert batches.retry_failed(batch_id=batch.id, by=mailing.operator, at=NOON) == 1
    work()
    assert states(batch) == {"HANDED_OVER": 2}
    assert sent_once()
    assert good.messages.get().hand_over != bad.messages.get().hand_over

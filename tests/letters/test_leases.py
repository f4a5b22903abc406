"""Workers that are slow or die: nobody lost, nobody sent two."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from cohort.models import Patient
from cohort.rules import Channel
from letters.actions import outbox
from letters.actions.outbox import handing_over, working
from letters.models import HandOver
from letters.transports import Item, Pages, folder
from tests.letters.factories import NOON, Mailing, make_mailing, validated
from tests.letters.outbox import LATER, Killed, dying_after, sent_once, states, work


@pytest.mark.django_db
def test_a_stale_token_changes_nothing(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    slow = outbox.claim(at=NOON)
    assert slow
    outbox.sweep(at=LATER)
    quick = outbox.claim(at=LATER)
    assert quick
    assert quick.token > slow.token
    made = outbox.make(slow.batch, slow.message_ids)
    assert outbox.release(claimed=slow, made=made, at=LATER) is None
    assert outbox.release(claimed=slow, made=outbox.Made({}, dict.fromkeys(slow.message_ids, "late")), at=LATER) is None
    assert states(batch) == {"MAKING": 1}
    outbox.make_and_hand_over(claimed=quick, clock=lambda: LATER)
    assert outbox.release(claimed=slow, made=made, at=LATER) is None
    assert sent_once()


@pytest.mark.django_db
def test_a_lease_that_stands_is_left_alone(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    assert outbox.claim(at=NOON)
    assert outbox.sweep(at=NOON + timedelta(seconds=outbox.LEASE_SECONDS)).put_back == 0
    assert outbox.sweep(at=LATER).put_back == 1
    assert states(batch) == {"WAITING": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", [Channel.LETTER, Channel.SMS])
@pytest.mark.parametrize(
    ("owner", "step", "before"),
    [
        (working, "claim", False),
        (working, "make", False),
        (working, "release", True),
        (working, "release", False),
        (handing_over, "hand_over", True),
        (folder, "_write_durably", True),
        (folder, "_write_durably", False),  # half of the files are in the temporary folder
        (Path, "rename", True),
        (Path, "rename", False),  # the supplier has it, and we have not said so
        (HandOver.objects, "create", False),
        (handing_over, "hand_over", False),
    ],
)
def test_a_worker_killed_at_any_step_loses_nobody_and_sends_nobody_two(
    channel: Channel, owner: Any, step: str, before: bool, monkeypatch: Any
) -> None:
    mailing = make_mailing()
    for details in ({}, {}, {"death_status": "FORMAL"}):
        validated(**details)
    batch = mailing.released(channel)
    with dying_after(owner, step, monkeypatch, before=before), pytest.raises(Killed):
        work()
    work(LATER)
    assert states(batch) == {"HANDED_OVER": 2, "HELD": 1}
    assert sent_once()
    assert not list(Path(settings.HANDOVER_FOLDER).glob("*/.*"))
    batch.refresh_from_db()
    assert batch.state == "FINISHED"


@pytest.mark.django_db
def test_what_the_supplier_has_is_not_made_again_when_details_change(mailing: Mailing, monkeypatch: Any) -> None:
    patient = validated()
    mailing.released()
    with dying_after(Path, "rename", monkeypatch), pytest.raises(Killed):
        work()
    before = {path: path.read_bytes() for path in Path(settings.HANDOVER_FOLDER).rglob("*") if path.is_file()}
    Patient.objects.filter(pk=patient.pk).update(family_name="Changed")
    outbox.finish_stranded(at=LATER)
    assert {path: path.read_bytes() for path in before} == before
    assert sent_once()


@pytest.mark.django_db
def test_a_hand_over_that_does_not_match_is_left_for_a_person(mailing: Mailing, caplog: Any) -> None:
    validated()
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(batch, claimed.message_ids)
    key = outbox.release(claimed=claimed, made=made, at=NOON)
    assert key
    folder.Folder().hand_over([Item(f"{uuid.uuid4()}-1", Pages(b"somebody else"))], key=key, batch_id=batch.id)
    assert outbox.finish_stranded(at=LATER) == 0
    assert states(batch) == {"RELEASED": 1}
    assert "does not match" in caplog.text

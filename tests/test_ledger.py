"""The ledger adds up on every state people can be in, and says where it does not."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from cohort.actions import decisions
from cohort.models import LateDecision, ListEntry
from cohort.queries.review import version
from cohort.rules import RemovalReason
from shielding.accounts.models import Role
from shielding.ledger import ledger
from tests.cohort.factories import NOW, Cast, MembershipFactory, cast, sign_in

__all__ = ["cast", "sign_in"]

pytestmark = pytest.mark.django_db


def decide(patient: Any, by: Any, *, is_kept: bool) -> None:
    entry = ListEntry.objects.get(pk=patient.pk)
    seen = version(entry)
    if is_kept:
        decisions.confirm(entry_id=entry.pk, by=by, at=NOW, seen=seen)
    else:
        decisions.remove(
            entry_id=entry.pk,
            reason=RemovalReason.LOW_RISK,
            detail="",
            is_patient_told=True,
            by=by,
            at=NOW,
            seen=seen,
        )


def test_an_empty_system_adds_up(db: None) -> None:
    assert ledger().differences == []


def test_everybody_is_in_one_state_at_each_stage(cast: Cast) -> None:
    decide(cast.amina, cast.gp, is_kept=True)
    decide(cast.bob, cast.gp, is_kept=False)
    found = ledger()
    assert found.differences == []
    assert {name: found.figures[name] for name in ("flagged", "validated", "removed", "waiting_for_validation")} == {
        "flagged": 3,
        "validated": 2,
        "removed": 1,
        "waiting_for_validation": 1,
    }
    assert found.figures["on_the_list"] == 2
    assert (found.figures["contacted"], found.figures["waiting"]) == (0, 1)
    assert found.as_json()["adds_up"] is True


def test_people_whom_no_open_practice_can_see_are_told_apart(cast: Cast) -> None:
    cast.other_practice.closed_date = NOW.date()
    cast.other_practice.save()
    ListEntry.objects.filter(pk=cast.bob.pk).update(practice_list=None)
    assert ledger().figures["waiting_and_on_no_list"] == 2
    assert ledger().differences == []


def test_those_not_reviewed_in_time_are_held_until_it_is_decided_to_contact_them(cast: Cast) -> None:
    decide(cast.amina, cast.gp, is_kept=True)
    late = cast.practice_list.due_date + timedelta(days=1)

    def contact(on: date) -> tuple[int, ...]:
        found = ledger(on)
        assert found.differences == []
        return tuple(found.figures[name] for name in ("waiting", "with_their_practice", "late_and_held_back"))

    assert contact(cast.practice_list.due_date) == (1, 2, 0)
    assert contact(late) == (1, 0, 2)
    LateDecision.objects.create(run=cast.run, policy="CONTACT", from_date=late, reason="Why", at=NOW, by=cast.gp.user)
    assert contact(late) == (3, 0, 0)


def test_a_standing_out_of_step_with_the_facts_is_told(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cohort_listentry SET is_on_list = false WHERE patient_id = %s", [cast.amina.pk])
    assert ledger().differences == [
        "People on the list, as kept and as computed from the facts: 2 one way, 3 the other"
    ]
    with pytest.raises(CommandError, match="does not add up"):
        call_command("ledger", "--json")
    assert '"adds_up": false' in capsys.readouterr().out


def test_the_page_shows_counts_to_the_central_operator_alone(cast: Cast, sign_in: Any) -> None:
    assert sign_in(cast.gp).get("/ledger/").status_code == 403
    operator = MembershipFactory(role=Role.CENTRAL_OPERATOR)
    text = sign_in(operator).get("/ledger/").content.decode()
    assert "It adds up" in text
    assert "Amina" not in text

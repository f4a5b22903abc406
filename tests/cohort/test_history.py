"""The history of what a practice decided: what each row was before, written once for each statement."""

from typing import Any

import pghistory
import pytest
from django.apps import apps

from cohort.models import ListEntry
from cohort.rules import Recheck
from tests.cohort.factories import NOW, Cast

pytestmark = pytest.mark.django_db


def history() -> list[dict[str, Any]]:
    events = apps.get_model("cohort", "ListEntryEvent").objects.order_by("pgh_id")
    return list(events.values("pgh_obj_id", "pgh_label", "pgh_context_id", "recheck", "review_state"))


def ask_again(*patient_ids: Any) -> None:
    ListEntry.objects.filter(pk__in=patient_ids).update(recheck=Recheck.HOSPITAL_DISAGREES.value, recheck_at=NOW)


def test_one_statement_about_several_people_keeps_what_each_was_before(cast: Cast) -> None:
    was = dict(ListEntry.objects.values_list("pk", "review_state"))
    with pghistory.context() as context:
        ask_again(cast.amina.pk, cast.bob.pk)
    assert {(each["pgh_obj_id"], each["review_state"], each["recheck"]) for each in history()} == {
        (patient.pk, was[patient.pk], "") for patient in (cast.amina, cast.bob)
    }
    assert {each["pgh_context_id"] for each in history()} == {context.id}


def test_a_statement_that_changes_nothing_leaves_no_history(cast: Cast) -> None:
    ListEntry.objects.filter(pk=cast.amina.pk).update(is_flagged=True)
    ListEntry.objects.update(sort_key="elsewhere on the page")
    assert history() == []


def test_only_those_whom_the_statement_changed_have_history(cast: Cast) -> None:
    ask_again(cast.amina.pk)
    ask_again(cast.amina.pk, cast.bob.pk)
    assert [each["pgh_obj_id"] for each in history()] == [cast.amina.pk, cast.bob.pk]


def test_who_is_deleted_is_kept_as_they_were(cast: Cast) -> None:
    ListEntry.objects.filter(pk=cast.bob.pk).delete()
    assert [(each["pgh_obj_id"], each["pgh_label"]) for each in history()] == [(cast.bob.pk, "delete")]

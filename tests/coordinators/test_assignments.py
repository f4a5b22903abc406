"""Everybody validated gets a coordinator: balanced, once, by several workers too."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.models import ListEntry
from coordinators import queries
from coordinators.actions import assign_waiting, end_finished
from coordinators.models import Assignment
from coordinators.tasks import assign_coordinators, end_finished_assignments
from shielding.accounts.models import Membership, Organisation
from tests.cohort.factories import NOW, ListEntryFactory, OrganisationFactory, PracticeListFactory
from tests.coordinators.factories import (
    AssignmentFactory,
    Team,
    ValidatedEntryFactory,
    coordinator,
    take_off_list,
    validated,
)


def sizes(*leads: Membership) -> list[int]:
    held = Counter(Assignment.objects.filter(ended_at__isnull=True).values_list("coordinator", flat=True))
    return [held[lead.pk] for lead in leads]


@pytest.mark.django_db
def test_a_validated_person_gets_a_coordinator_of_their_practice() -> None:
    practice, elsewhere = OrganisationFactory(), OrganisationFactory()
    lead = coordinator(practice)
    coordinator(elsewhere)
    [person] = validated(practice)

    assert assign_waiting(at=NOW) == 1

    assignment = Assignment.objects.get()
    assert (assignment.patient, assignment.coordinator, assignment.started_at) == (person, lead, NOW)
    assert assignment.ended_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "entry",
    [
        {"review_state": "TO_REVIEW", "reviewed_at": None, "reviewed_by": None},
        {"is_on_list": False},
        {"patient__death_status": "FORMAL"},
    ],
    ids=["not reviewed yet", "off the list", "died"],
)
def test_nobody_else_gets_one(entry: dict[str, Any]) -> None:
    practice = OrganisationFactory()
    coordinator(practice)
    ValidatedEntryFactory(practice_list=PracticeListFactory(practice=practice), **entry)

    assert assign_waiting(at=NOW) == 0
    assert queries.waiting_for_a_coordinator().count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "entry",
    [
        {"review_state": "ADDED", "is_flagged": False},
        {"patient__death_status": "INFORMAL"},
        {"review_state": "REMOVED", "removal_reason": "LOW_RISK", "is_patient_told": True},
    ],
    ids=["added by the practice", "only reported dead", "put back by a hospital after the practice removed them"],
)
def test_whoever_is_on_the_list_and_reviewed_gets_one(entry: dict[str, Any]) -> None:
    practice = OrganisationFactory()
    coordinator(practice)
    ValidatedEntryFactory(practice_list=PracticeListFactory(practice=practice), **entry)

    assert queries.waiting_for_a_coordinator().count() == 1
    assert assign_waiting(at=NOW) == 1


@pytest.mark.django_db
@given(held=st.lists(st.integers(0, 6), min_size=1, max_size=4), people=st.integers(0, 12))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_each_person_goes_to_the_smallest_caseload(held: list[int], people: int) -> None:
    with transaction.atomic():
        practice = OrganisationFactory()
        leads = [coordinator(practice) for _ in held]
        for lead, count in zip(leads, held, strict=True):
            for person in validated(practice, count):
                AssignmentFactory(patient=person, coordinator=lead)
        validated(practice, people)
        expected = list(held)
        for _ in range(people):
            expected[expected.index(min(expected))] += 1

        assert assign_waiting(at=NOW) == people
        assert sorted(sizes(*leads)) == sorted(expected)
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_coordinator_who_left_or_cannot_sign_in_gets_nobody() -> None:
    practice = OrganisationFactory()
    coordinator(practice, ended_at=NOW)
    coordinator(practice, user__is_active=False)
    validated(practice, 2)

    assert assign_waiting(at=NOW) == 0
    assert queries.without_coordinator() == {practice.pk: 2}


@pytest.mark.django_db
def test_people_without_a_coordinator_at_their_practice_are_counted() -> None:
    few, many, served = OrganisationFactory(), OrganisationFactory(), OrganisationFactory()
    validated(few, 1)
    validated(many, 3)
    coordinator(served)
    validated(served, 2)

    assert queries.without_coordinator() == {many.pk: 3, few.pk: 1}


@pytest.mark.django_db
def test_a_call_takes_as_many_as_asked_those_reviewed_longest_ago_first() -> None:
    practice = OrganisationFactory()
    coordinator(practice)
    late, early = (
        ValidatedEntryFactory(practice_list=PracticeListFactory(practice=practice), reviewed_at=NOW - timedelta(days=d))
        for d in (1, 3)
    )

    assert assign_waiting(at=NOW, limit=1) == 1
    assert Assignment.objects.get().patient == early.patient
    assert assign_waiting(at=NOW, limit=1) == 1
    assert assign_waiting(at=NOW, limit=1) == 0
    assert Assignment.objects.filter(patient=late.patient).exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_assign_everybody_once_and_evenly() -> None:
    practices = [OrganisationFactory() for _ in range(4)]
    leads = {practice: [coordinator(practice) for _ in range(3)] for practice in practices}
    for practice in practices:
        validated(practice, 30)
    start, assigned, errors = threading.Barrier(3), [], []

    def work() -> None:
        try:
            start.wait()
            assigned.extend(assign_waiting(at=NOW, limit=7) for _ in range(40))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    while taken := assign_waiting(at=NOW):
        assigned.append(taken)

    assert errors == []
    assert sum(assigned) == 120 == Assignment.objects.filter(ended_at__isnull=True).count()
    for practice in practices:
        assert sizes(*leads[practice]) == [10, 10, 10]


@pytest.mark.django_db(transaction=True)
def test_a_practice_another_worker_has_in_hand_is_passed_over() -> None:
    busy, free = OrganisationFactory(), OrganisationFactory()
    for practice in (busy, free):
        coordinator(practice)
        validated(practice)
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Organisation.objects.select_for_update(no_key=True).get(pk=busy.pk)
            holding.set()
            done.wait(30)
        connection.close()

    worker = threading.Thread(target=hold)
    worker.start()
    holding.wait(30)
    try:
        assert assign_waiting(at=NOW) == 1
        assert Assignment.objects.get().patient.practice == free
    finally:
        done.set()
        worker.join(30)
    assert assign_waiting(at=NOW) == 1


@pytest.mark.django_db
def test_the_database_refuses_a_second_coordinator_at_a_time(team: Team) -> None:
    with pytest.raises(IntegrityError, match="one_coordinator_at_a_time"), transaction.atomic():
        AssignmentFactory(patient=team.amina, coordinator=team.other_lead)


@pytest.mark.django_db
def test_an_assignment_ends_when_the_person_goes_off_the_list(team: Team) -> None:
    take_off_list(team.amina)

    assert end_finished(at=NOW) == 1

    assert Assignment.objects.get(patient=team.amina).ended_at == NOW
    assert Assignment.objects.get(patient=team.charlie).ended_at is None
    assert end_finished(at=NOW) == 0


@pytest.mark.django_db
def test_an_assignment_ends_when_the_death_is_registered(team: Team) -> None:
    team.amina.death_status = "FORMAL"
    team.amina.save()

    assert end_finished(at=NOW) == 1
    assert assign_waiting(at=NOW) == 0


@pytest.mark.django_db
def test_when_the_coordinator_leaves_another_takes_over(team: Team) -> None:
    team.lead.ended_at = NOW
    team.lead.save()
    colleague = coordinator(team.practice)

    assert end_finished(at=NOW) == 1
    assert assign_waiting(at=NOW) == 1

    assert queries.person_for(team.lead, team.amina.pk) is None
    assert queries.person_for(colleague, team.amina.pk) is not None


@pytest.mark.django_db
def test_when_the_person_changes_practice_the_new_one_takes_over(team: Team) -> None:
    team.amina.practice = team.other_lead.organisation
    team.amina.save()

    assert end_finished(at=NOW) == 1
    assert assign_waiting(at=NOW) == 1
    assert queries.person_for(team.other_lead, team.amina.pk) is not None


@pytest.mark.django_db
def test_the_tasks_are_safe_twice(team: Team, settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    assert ListEntry.objects.filter(is_on_list=True).count() == 2
    ListEntryFactory()
    validated(team.practice)

    for _ in range(2):
        end_finished_assignments.run()
        assign_coordinators.run()

    assert Assignment.objects.filter(ended_at__isnull=True).count() == 3

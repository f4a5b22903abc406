"""A search is asked for, held by one worker, taken up after a death, cancelled, refused when sources are old."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import duckdb
import pytest
from django.db import connection
from django.utils import timezone

from cohort.actions import runs
from cohort.actions.criteria import load_criteria_set
from cohort.models import Criterion, Extract, Flag, ListEntry, SearchCount, SearchRun
from cohort.rules import RunState
from cohort.tasks import resume_searches
from shielding.accounts.models import Organisation, Role
from shielding.accounts.policies import NotAllowed
from shielding.demo import path
from shielding.demo.country import Country, make_country
from tests.cohort.factories import MembershipFactory, OrganisationFactory

PEOPLE = 800


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """The invented country's files, made once for this module."""
    return make_country(tmp_path_factory.mktemp("country"), people=PEOPLE, as_at=timezone.localdate())


@pytest.fixture
def operator(db: None) -> Any:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR)


@pytest.fixture
def loaded(country: Country, operator: Any) -> Country:
    path.load_reference_data(country)
    path.load_extracts(country)
    return country


@pytest.fixture
def ready(operator: Any) -> Extract:
    """Criteria and an extract to search: enough for whatever does not read its rows."""
    load_criteria_set(at=timezone.now())
    return Extract.objects.create(
        supplier="gp", as_at=timezone.localdate(), sha256="0" * 64, folder="none", loaded_at=timezone.now()
    )


def ask(operator: Any, **given: Any) -> SearchRun:
    return runs.request_search(search_date=timezone.localdate(), by=operator, at=timezone.now(), **given)


@pytest.mark.django_db
def test_a_search_finds_exactly_the_people_who_were_planted(loaded: Country, operator: Any) -> None:
    run = ask(operator)
    resume_searches()
    run.refresh_from_db()
    assert (run.state, run.percent, run.error) == (RunState.LANDED, 100, "")
    assert run.people_searched == PEOPLE
    assert run.people_flagged == loaded.flagged == ListEntry.objects.filter(is_on_list=True).count()

    found = set(Flag.objects.values_list("patient__nhs_number", "criterion_version__criterion__slug"))
    with duckdb.connect() as duck:
        planted = duck.execute(f"SELECT nhs_number, criterion, is_hit FROM '{loaded.answers}'").fetchall()
    high = set(Criterion.objects.filter(tier=Criterion.Tier.HIGH).values_list("slug", flat=True))
    answers = [answer for answer in planted if answer[1] in high]
    assert found == {(number, criterion) for number, criterion, is_hit in answers if is_hit}
    near_misses = {(number, criterion) for number, criterion, is_hit in answers if not is_hit}
    assert near_misses
    assert not found & near_misses

    counted: Counter[str] = Counter()
    for slug, people in SearchCount.objects.values_list("criterion_version__criterion__slug", "people"):
        counted[slug] += people
    assert counted == Counter(loaded.planted)

    # The vulnerable are counted, but never land as people.
    assert not Flag.objects.filter(criterion_version__criterion__tier="VULNERABLE").exists()
    assert counted["aged-70-and-over"]

    # Carrying out a landed run again changes nothing.
    runs.carry_out(run_id=run.pk, now=timezone.now)
    assert Flag.objects.count() == Flag.objects.values("patient", "criterion_version").distinct().count()
    assert ListEntry.objects.count() == loaded.flagged


@pytest.mark.django_db
def test_a_run_left_running_by_a_dead_worker_is_taken_up_by_the_next(loaded: Country, operator: Any) -> None:
    run = ask(operator)
    SearchRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, started_at=timezone.now(), percent=40)
    resume_searches()
    run.refresh_from_db()
    assert run.state == RunState.LANDED


@pytest.mark.django_db
def test_only_one_search_is_queued_or_running_at_a_time(ready: Extract, operator: Any) -> None:
    ask(operator)
    with pytest.raises(runs.SearchAlreadyRunning):
        ask(operator)


@pytest.mark.django_db
def test_a_stale_source_stops_a_search_unless_somebody_says_why_not(ready: Extract, operator: Any) -> None:
    Extract.objects.filter(pk=ready.pk).update(as_at=timezone.localdate() - timedelta(days=15))
    with pytest.raises(runs.StaleSources) as refused:
        ask(operator)
    assert [extract.supplier for extract in refused.value.extracts] == ["gp"]
    with pytest.raises(runs.StaleSources):
        ask(operator, stale_sources_reason="   ")
    assert ask(operator, stale_sources_reason="The supplier is down").stale_sources_reason == "The supplier is down"


@pytest.mark.django_db
def test_nothing_is_searched_before_anything_is_loaded(operator: Any) -> None:
    with pytest.raises(runs.NothingToSearch):
        ask(operator)
    load_criteria_set(at=timezone.now())
    with pytest.raises(runs.NothingToSearch):
        ask(operator)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CENTRAL_OPERATOR])
def test_only_a_central_operator_runs_searches(role: Role, operator: Any) -> None:
    with pytest.raises(NotAllowed):
        ask(MembershipFactory(role=role))


@pytest.mark.django_db
def test_a_cancelled_run_stops_at_its_next_step_and_lands_nothing(
    ready: Extract, operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(operator)

    def cancel_while_searching(*, progress: Any, **given: Any) -> None:
        progress(1, "Reading records")
        assert runs.cancel_search(run_id=run.pk, by=operator, at=timezone.now())
        progress(2, "Reading records")
        pytest.fail("a cancelled search went on")

    monkeypatch.setattr(runs, "run_search", cancel_while_searching)
    runs.carry_out(run_id=run.pk, now=timezone.now)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert not ListEntry.objects.exists()
    assert not runs.cancel_search(run_id=run.pk, by=operator, at=timezone.now())


@pytest.mark.django_db
def test_a_failure_is_told_by_its_kind_and_never_by_its_text(
    ready: Extract, operator: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = ask(operator)

    secret = " ".join(("999", "000", "0018"))

    def fail(**given: Any) -> Any:
        raise ValueError(f"row of {secret} is odd")

    monkeypatch.setattr(runs, "run_search", fail)
    with pytest.raises(runs.SearchFailed, match="ValueError") as failed:
        runs.carry_out(run_id=run.pk, now=timezone.now)
    run.refresh_from_db()
    assert (run.state, run.error) == (RunState.FAILED, "The search stopped: ValueError.")
    assert failed.value.__suppress_context__
    assert secret not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_run_that_another_worker_holds_is_left_to_it(ready: Extract, operator: Any) -> None:
    run = ask(operator)
    outcome: list[bool] = []

    def other_worker() -> None:
        with runs._held(run.pk) as is_ours:
            outcome.append(is_ours)
        connection.close()

    with runs._held(run.pk) as is_ours:
        assert is_ours
        thread = threading.Thread(target=other_worker)
        thread.start()
        thread.join()
    assert outcome == [False]

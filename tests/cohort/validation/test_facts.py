"""The standing in PostgreSQL is always what the facts say."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.actions.facts import CannotWithdraw, recompute, record_fact, withdraw_fact
from cohort.models import ListEntry, ListFact
from cohort.rules import DECISIVE, FactSource, Request
from tests.cohort.factories import NOW, Cast, ListEntryFactory, PracticeListFactory
from tests.cohort.test_rules import DECISION_TABLE, TABLE_IDS
from tests.cohort.validation.pages import entry_of

pytestmark = pytest.mark.django_db
ADD, REMOVE = Request.ADD, Request.REMOVE


def blank_entry(**fields: object) -> ListEntry:
    """Returns the entry of somebody of whom nothing has been said."""
    return ListEntryFactory(is_on_list=False, because=None, **fields)


def say(entry: ListEntry, source: FactSource, request: Request, day: int) -> ListFact:
    return record_fact(
        patient_id=entry.pk,
        source=source,
        request=request,
        reason="test",
        at=NOW + timedelta(days=day),
        run=entry.practice_list.run if source is FactSource.ALGORITHM else None,
    )


@pytest.mark.parametrize(("what", "said", "is_on_list"), DECISION_TABLE, ids=TABLE_IDS)
def test_the_decision_table(what: str, said: list[tuple[FactSource, Request]], is_on_list: bool) -> None:
    entry = blank_entry()
    last = None
    for day, (source, request) in enumerate(said):
        last = say(entry, source, request, day)
    entry.refresh_from_db()
    assert entry.is_on_list is is_on_list
    if last and FactSource(last.source) in DECISIVE:
        assert entry.because == last


said_facts = st.lists(
    st.tuples(
        st.sampled_from(sorted(set(FactSource) - {FactSource.ALGORITHM})),
        st.sampled_from(Request),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=5,
)
quickly = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def standing(entry: ListEntry) -> tuple[bool, tuple[str, str, object] | None]:
    entry.refresh_from_db()
    because = entry.because
    return entry.is_on_list, (because.source, because.request, because.at) if because else None


@quickly
@given(said_facts, st.randoms(use_true_random=False))
def test_the_order_of_insertion_does_not_matter(
    db: None, said: list[tuple[FactSource, Request, int]], random: object
) -> None:
    unique_days = [(source, request, n) for n, (source, request, _) in enumerate(said)]
    shuffled = list(unique_days)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = blank_entry(), blank_entry()
    for fact in unique_days:
        say(one, *fact)
    for fact in shuffled:
        say(other, *fact)
    assert standing(one) == standing(other)


@quickly
@given(said_facts, st.data())
def test_withdrawing_a_fact_equals_never_having_had_it(
    db: None, said: list[tuple[FactSource, Request, int]], data: st.DataObject
) -> None:
    withdrawn = data.draw(st.sets(st.integers(0, len(said) - 1)))
    one, other = blank_entry(), blank_entry()
    facts = [say(one, *fact) for fact in said]
    for n in withdrawn:
        withdraw_fact(fact=facts[n], reason="said in error", at=NOW + timedelta(days=9), by=None)
    for n, fact in enumerate(said):
        if n not in withdrawn:
            say(other, *fact)
    assert standing(one) == standing(other)
    assert ListFact.objects.filter(patient_id=one.pk).count() == len(said) + len(withdrawn)


def test_a_search_that_hits_again_never_brings_back_somebody_a_gp_removed(cast: Cast) -> None:
    entry = ListEntry.objects.get(pk=cast.bob.pk)
    say(entry, FactSource.GP, REMOVE, 1)
    assert recompute(patient_ids=[cast.bob.pk], at=NOW + timedelta(days=9)) == 0
    say(entry, FactSource.RISK_MODEL, ADD, 10)
    entry.refresh_from_db()
    assert not entry.is_on_list


def test_changed_at_moves_only_when_somebody_comes_on_or_goes_off(cast: Cast) -> None:
    entry = ListEntry.objects.get(pk=cast.amina.pk)
    before = entry.changed_at
    confirmed = say(entry, FactSource.GP, ADD, 1)
    entry.refresh_from_db()
    assert (entry.changed_at, entry.because) == (before, confirmed)
    say(entry, FactSource.GP, REMOVE, 2)
    entry.refresh_from_db()
    assert entry.changed_at == NOW + timedelta(days=2)


def test_a_fact_is_withdrawn_once_and_a_withdrawal_never(cast: Cast) -> None:
    entry = ListEntry.objects.get(pk=cast.amina.pk)
    fact = say(entry, FactSource.GP, REMOVE, 1)
    row = withdraw_fact(fact=fact, reason="a slip", at=NOW, by=cast.gp)
    assert (row.by, row.organisation) == (cast.gp.user, cast.practice)
    for again in (fact, row, ListFact.objects.get(patient=cast.amina, source="ALGORITHM")):
        with pytest.raises(CannotWithdraw):
            withdraw_fact(fact=again, reason="a slip", at=NOW, by=cast.gp)


def test_a_fact_keeps_who_said_it_and_for_whom(cast: Cast) -> None:
    fact = record_fact(patient_id=cast.amina.pk, source=FactSource.GP, request=ADD, reason="known", at=NOW, by=cast.gp)
    assert (fact.by, fact.organisation, fact.reason, fact.at) == (cast.gp.user, cast.practice, "known", NOW)


def test_somebody_without_an_entry_gets_none(cast: Cast) -> None:
    ListEntry.objects.filter(pk=cast.amina.pk).delete()
    assert recompute(patient_ids=[cast.amina.pk], at=NOW) == 0
    assert not ListEntry.objects.filter(pk=cast.amina.pk).exists()


def test_recomputing_five_hundred_people_takes_as_many_statements_as_five(django_assert_num_queries: object) -> None:
    practice_list = PracticeListFactory()
    entries = [blank_entry(practice_list=practice_list) for _ in range(505)]
    ListFact.objects.bulk_create(ListFact(patient_id=entry.pk, source="GP", request="ADD", at=NOW) for entry in entries)
    with django_assert_num_queries(5):  # type: ignore[operator]  # savepoint, lock, facts, update, release
        assert recompute(patient_ids=[entry.pk for entry in entries[:5]], at=NOW) == 5
    with django_assert_num_queries(5):  # type: ignore[operator]
        assert recompute(patient_ids=[entry.pk for entry in entries[5:]], at=NOW) == 500
    assert ListEntry.objects.filter(is_on_list=True).count() == 505


def test_a_standing_rests_on_a_fact_about_the_same_person(cast: Cast) -> None:
    of_amina = entry_of(cast.amina).because_id
    assert of_amina is not None
    for because_id in (of_amina, 0):
        with pytest.raises(IntegrityError, match="The fact behind a standing"), transaction.atomic():
            ListEntry.objects.filter(pk=cast.bob.pk).update(because_id=because_id)
    with pytest.raises(IntegrityError, match="The fact behind a standing"):
        ListEntryFactory(because=ListFact.objects.get(pk=of_amina))

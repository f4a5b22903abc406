"""The append-only facts, and the standing computed from them.

Whoever adds or withdraws a fact does it here, so that nobody's standing is ever out of step with
the facts about them. `ListEntry.is_on_list`, `because` and `changed_at` are written by `recompute`
alone (and by landing, for people who had no entry); it also moves the unreviewed between TO_REVIEW
and LAPSED.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from cohort.models import ListEntry, ListFact, SearchRun
from cohort.rules import UNREVIEWED, Fact, FactSource, Recheck, Request, ReviewState, membership, unreviewed
from shielding.accounts.models import Membership, Organisation

#: A criterion that is withdrawn touches several hundred thousand people: this many at a time bounds the memory.
_AT_ONCE = 20_000


class CannotWithdraw(Exception):
    """The fact is withdrawn already, is itself a withdrawal, or is the search's, which the next search withdraws."""


def record_fact(
    *,
    patient_id: UUID,
    source: FactSource,
    request: Request,
    reason: str,
    at: datetime,
    by: Membership | None = None,
    organisation: Organisation | None = None,
    run: SearchRun | None = None,
) -> ListFact:
    """Appends that `source` asks for the person to be on or off the list, and recomputes their standing.

    `organisation` is who asks; left out, it is that of `by`. Returns the fact. A person without an
    entry keeps the fact and gets no standing: make the entry first.
    """
    with transaction.atomic():
        _lock([patient_id])
        fact = ListFact.objects.create(
            patient_id=patient_id,
            source=source.value,
            request=request.value,
            reason=reason,
            at=at,
            by_id=by.user_id if by else None,
            organisation_id=organisation.pk if organisation else by.organisation_id if by else None,
            run=run,
        )
        recompute(patient_ids=[patient_id], at=at)
    return fact


def withdraw_fact(*, fact: ListFact, reason: str, at: datetime, by: Membership | None) -> ListFact:
    """Appends that `fact` no longer stands, and recomputes the person as if it had never been said.

    Returns the withdrawing row. Raises CannotWithdraw.
    """
    with transaction.atomic():
        _lock([fact.patient_id])
        is_withdrawn = ListFact.objects.filter(withdraws=fact).exists()
        if is_withdrawn or fact.withdraws_id is not None or fact.source == FactSource.ALGORITHM:
            raise CannotWithdraw
        row = ListFact.objects.create(
            patient_id=fact.patient_id,
            source=fact.source,
            reason=reason,
            at=at,
            by_id=by.user_id if by else None,
            organisation_id=by.organisation_id if by else None,
            run_id=fact.run_id,
            withdraws=fact,
        )
        recompute(patient_ids=[fact.patient_id], at=at)
    return row


def recompute(*, patient_ids: Iterable[UUID], at: datetime) -> int:
    """Brings the standing of these people in step with the facts about them (domain, section 5).

    Returns how many came on or went off the list. Three statements for every 20,000 people; those
    without an entry are left out. `changed_at` moves only for those who came on or went off.
    """
    people = sorted(set(patient_ids))
    with transaction.atomic():
        return sum(_recompute(people[start : start + _AT_ONCE], at=at) for start in range(0, len(people), _AT_ONCE))


def ask_again(*, patient_ids: Iterable[UUID], why: Recheck, at: datetime) -> int:
    """Has their practices look once more at those of these people whom one has decided; returns how many.

    The next decision about somebody ends it. Whoever is new to their practice stays asked for as that.
    """
    with transaction.atomic():
        return (
            ListEntry.objects.filter(pk__in=list(_lock(patient_ids)))
            .exclude(review_state__in=[state.value for state in UNREVIEWED])
            .exclude(recheck=Recheck.MOVED_HERE.value)
            .update(recheck=why.value, recheck_at=at)
        )


def _recompute(patient_ids: list[UUID], *, at: datetime) -> int:
    entries = _lock(patient_ids)
    facts: dict[UUID, list[tuple[int, str, str, datetime]]] = defaultdict(list)
    withdrawn: set[int] = set()
    for pk, patient_id, source, request, said_at, withdraws_id in ListFact.objects.filter(
        patient_id__in=list(entries)
    ).values_list("pk", "patient_id", "source", "request", "at", "withdraws_id"):
        if withdraws_id is None:
            facts[patient_id].append((pk, source, request, said_at))
        else:
            withdrawn.add(withdraws_id)
    changes: list[tuple[UUID, bool, int | None, str]] = []
    moved = 0
    for patient_id, (was_on_list, was_because, was_reviewed) in entries.items():
        said = [
            Fact(pk, FactSource(source), Request(request), said_at, is_withdrawn=pk in withdrawn)
            for pk, source, request, said_at in facts[patient_id]
        ]
        standing = membership(said)
        because = standing.because.sequence if standing.because else None
        reviewed = unreviewed(said).value if ReviewState(was_reviewed) in UNREVIEWED else was_reviewed
        if (standing.is_on_list, because, reviewed) != (was_on_list, was_because, was_reviewed):
            changes.append((patient_id, standing.is_on_list, because, reviewed))
            moved += standing.is_on_list != was_on_list
    if changes:
        _write(changes, at=at)
    return moved


def _lock(patient_ids: Iterable[UUID]) -> dict[UUID, tuple[bool, int | None, str]]:
    """Locks the entries, always in the order of their ids so that two workers cannot wait for each other."""
    rows = (
        ListEntry.objects.select_for_update()
        .filter(pk__in=list(patient_ids))
        .order_by("pk")
        .values_list("pk", "is_on_list", "because_id", "review_state")
    )
    return {pk: (is_on_list, because_id, review_state) for pk, is_on_list, because_id, review_state in rows}


def _write(changes: list[tuple[UUID, bool, int | None, str]], *, at: datetime) -> None:
    patients, on_list, because, reviewed = zip(*changes, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cohort_listentry e SET is_on_list = n.is_on_list, because_id = n.because_id,"
            " changed_at = CASE WHEN e.is_on_list = n.is_on_list THEN e.changed_at ELSE %s END,"
            " review_state = n.review_state"
            " FROM unnest(%s::uuid[], %s::boolean[], %s::bigint[], %s::text[])"
            "  AS n (patient_id, is_on_list, because_id, review_state)"
            " WHERE e.patient_id = n.patient_id",
            [at, [str(patient) for patient in patients], list(on_list), list(because), list(reviewed)],
        )

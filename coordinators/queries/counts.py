"""Who waits for a coordinator, and the counts of the ledger. Counts only: nobody is named."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from cohort.models import ListEntry, Patient
from cohort.rules import ReviewState
from coordinators.models import Assignment, Need, Referral
from coordinators.rules import ReferralState
from shielding.accounts.models import Membership, Role


def _has_coordinator() -> Exists:
    return Exists(Assignment.objects.filter(patient=OuterRef("patient"), ended_at__isnull=True))


def _validated() -> QuerySet[ListEntry]:
    return ListEntry.objects.filter(is_on_list=True).exclude(review_state=ReviewState.TO_REVIEW)


def waiting_for_a_coordinator() -> QuerySet[ListEntry]:
    """Returns everybody validated and on the list without a current coordinator, but those who have died.

    For counting, not for pages. `actions.assign_waiting` says the same in SQL.
    """
    return _validated().exclude(patient__death_status=Patient.DeathStatus.FORMAL).filter(~_has_coordinator())


def without_coordinator() -> dict[UUID, int]:
    """Returns how many people wait at each practice that has no coordinator to give them, by practice id.

    Counts only: nobody is named.
    """
    available = Membership.objects.filter(
        organisation=OuterRef("patient__practice"), role=Role.COORDINATOR, ended_at__isnull=True, user__is_active=True
    )
    waiting = waiting_for_a_coordinator().filter(~Exists(available)).order_by()
    return dict(waiting.values_list("patient__practice").annotate(people=Count("pk")))


def coordination_counts() -> dict[str, Any]:
    """Returns the counts of the ledger. Two sums hold:

    `validated` = `with_coordinator` + `waiting_for_coordinator` + `died` (people on the list and
    reviewed; `at_practice_without_coordinator` are some of those waiting), and
    `needs` = the sum of `referrals` (by state, WAITING to REJECTED) + `needs_without_authority`
    + `needs_kept_by_coordinator` (restricted records, which make no referral).
    `referrals_hidden` are some of `referrals`: to an authority, but the record became restricted later.
    """
    died = Q(patient__death_status=Patient.DeathStatus.FORMAL)
    people = (
        _validated()
        .annotate(has=_has_coordinator())
        .aggregate(
            validated=Count("pk"),
            with_coordinator=Count("pk", filter=Q(has=True) & ~died),
            waiting_for_coordinator=Count("pk", filter=Q(has=False) & ~died),
            died=Count("pk", filter=died),
        )
    )
    known = Q(local_authority__isnull=False)
    referrals = Referral.objects.aggregate(
        **{state.value: Count("pk", filter=known & Q(state=state)) for state in ReferralState},
        without=Count("pk", filter=~known),
        hidden=Count("pk", filter=known & Q(patient__is_restricted=True)),
    )
    needs_found = Need.objects.aggregate(all=Count("pk"), kept=Count("pk", filter=Q(referral__isnull=True)))
    return {
        **people,
        "at_practice_without_coordinator": sum(without_coordinator().values()),
        "needs": needs_found["all"],
        "referrals": {state.value: referrals[state.value] for state in ReferralState},
        "needs_without_authority": referrals["without"],
        "needs_kept_by_coordinator": needs_found["kept"],
        "referrals_hidden": referrals["hidden"],
    }

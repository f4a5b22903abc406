"""Reads of the coordinators app. A coordinator reaches their caseload, council staff their council's referrals."""

from coordinators.queries.caseload import (
    assignments,
    caseload,
    caseload_counts,
    check_ins,
    needs,
    not_safe_to_talk,
    open_by_kind,
    person_for,
    reasons,
    what_became_of_needs,
)
from coordinators.queries.counts import coordination_counts, waiting_for_a_coordinator, without_coordinator
from coordinators.queries.referrals import (
    OPEN_STATES,
    CouncilReferral,
    for_council,
    open_referrals,
    referral_counts,
    referral_for,
    referrals_for,
    referrals_in,
    without_authority,
)

__all__ = [
    "OPEN_STATES",
    "CouncilReferral",
    "assignments",
    "caseload",
    "caseload_counts",
    "check_ins",
    "coordination_counts",
    "for_council",
    "needs",
    "not_safe_to_talk",
    "open_by_kind",
    "open_referrals",
    "person_for",
    "reasons",
    "referral_counts",
    "referral_for",
    "referrals_for",
    "referrals_in",
    "waiting_for_a_coordinator",
    "what_became_of_needs",
    "without_authority",
    "without_coordinator",
]

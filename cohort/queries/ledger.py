"""What the ledger needs of the cohort: how many people are in which state. Counts only, no people."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, F, Q

from cohort.models import ListEntry
from cohort.rules import DECISIVE, UNREVIEWED, ReviewState

#: Somebody has gone through the entry. On the list with REMOVED is who was put back by a later request.
VALIDATED_STATES = tuple(state.value for state in ReviewState if state not in UNREVIEWED)


@dataclass(frozen=True)
class ListCounts:
    """People by their standing. `flagged_unseen` are some of `flagged_waiting`: no open practice can see them.
    `flagged_lapsed` are found no longer and were never reviewed. `by_facts` and `by_flags` are counted anew
    from the append-only tables; `standing_` are those whom a search still finds."""

    flagged: int
    flagged_confirmed: int
    flagged_removed: int
    flagged_waiting: int
    flagged_lapsed: int
    flagged_unseen: int
    added: int
    everybody: int
    on_list: int
    on_list_validated: int
    on_list_waiting: int
    off_list: int
    on_list_by_facts: int
    flagged_by_flags: int
    standing_by_facts: int
    standing_by_flags: int


def list_counts() -> ListCounts:
    """Returns the counts of one moment (call it in a transaction that reads one snapshot)."""
    flagged = Q(is_flagged=True)
    seen = Q(practice_list__practice=F("patient__practice"), practice_list__practice__closed_date__isnull=True)
    counts = ListEntry.objects.aggregate(
        flagged=Count("pk", filter=flagged),
        flagged_confirmed=Count("pk", filter=flagged & Q(review_state__in=["CONFIRMED", "ADDED"])),
        flagged_removed=Count("pk", filter=flagged & Q(review_state=ReviewState.REMOVED)),
        flagged_waiting=Count("pk", filter=flagged & Q(review_state=ReviewState.TO_REVIEW)),
        flagged_lapsed=Count("pk", filter=flagged & Q(review_state=ReviewState.LAPSED)),
        flagged_unseen=Count("pk", filter=flagged & Q(review_state=ReviewState.TO_REVIEW) & ~seen),
        added=Count("pk", filter=~flagged),
        everybody=Count("pk"),
        on_list=Count("pk", filter=Q(is_on_list=True)),
        on_list_validated=Count("pk", filter=Q(is_on_list=True, review_state__in=VALIDATED_STATES)),
        on_list_waiting=Count("pk", filter=Q(is_on_list=True, review_state=ReviewState.TO_REVIEW)),
        off_list=Count("pk", filter=Q(is_on_list=False)),
    )
    return ListCounts(
        **counts,
        on_list_by_facts=_on_list_by_facts(),
        flagged_by_flags=_count(
            "SELECT count(*) FROM (SELECT patient_id FROM cohort_flag UNION SELECT patient_id FROM cohort_listfact"
            " WHERE source = 'RISK_MODEL' AND request = 'ADD') flagged"
        ),
        standing_by_facts=_count(
            "SELECT count(*) FROM cohort_listfact f WHERE f.source = 'ALGORITHM' AND f.request = 'ADD'"
            " AND NOT EXISTS (SELECT 1 FROM cohort_listfact w WHERE w.withdraws_id = f.id)"
        ),
        standing_by_flags=_count("SELECT count(DISTINCT patient_id) FROM cohort_flag WHERE ended_in_id IS NULL"),
    )


def _on_list_by_facts() -> int:
    """Counts the list again from the facts alone, by a second way of saying `rules.membership`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH standing AS (SELECT f.* FROM cohort_listfact f WHERE f.request <> ''"
            "  AND NOT EXISTS (SELECT 1 FROM cohort_listfact w WHERE w.withdraws_id = f.id)),"
            " decisive AS (SELECT DISTINCT ON (patient_id) patient_id, request FROM standing"
            "  WHERE source = ANY(%s) ORDER BY patient_id, at DESC, id DESC)"
            " SELECT count(*) FROM (SELECT patient_id, bool_or(request = 'ADD') AS has_hit FROM standing"
            "  GROUP BY patient_id) s LEFT JOIN decisive d USING (patient_id)"
            " WHERE CASE WHEN d.request IS NULL THEN s.has_hit ELSE d.request = 'ADD' END",
            [sorted(source.value for source in DECISIVE)],
        )
        return int(cursor.fetchone()[0])


def _count(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])

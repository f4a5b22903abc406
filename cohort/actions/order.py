"""The order of a practice's worklist, stored with each entry so that a page of it is one index scan.

The clearest come first and the most doubtful last, each by name. Whoever makes entries calls
`put_in_order`; landing and the refresh of people's details keep the keys right over whole tables.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from cohort.rules import Strength

_RANKS = {Strength.CLEAR: "1", Strength.LIKELY: "2", Strength.DOUBTFUL: "3"}
#: Those of whom the search finds nothing come after the most doubtful.
_LAST = "4"


def sort_key(strength: str, patient: str) -> str:
    """Returns SQL for the key: `strength` is an expression, `patient` the alias of a row of cohort_patient."""
    ranks = " ".join(f"WHEN '{each.value}' THEN '{rank}'" for each, rank in _RANKS.items())
    return (
        f"(CASE {strength} {ranks} ELSE '{_LAST}' END || upper({patient}.family_name || ', ' || {patient}.given_name))"
    )


#: `cohort.rules.strength` in SQL that PostgreSQL and DuckDB read alike, over one person's evidence that has a code.
#: Least and greatest instead of distinct values: an aggregate over millions of people then needs no sorting.
STRENGTH = (
    f"CASE WHEN min(source) <> max(source) THEN '{Strength.CLEAR.value}'"
    " WHEN max(source) = 'MEDICINES' OR (min(code) = max(code)"
    "  AND coalesce(min(event_date), DATE '0001-01-01') = coalesce(max(event_date), DATE '0001-01-01')"
    f"  AND count(event_date) IN (0, count(*))) THEN '{Strength.DOUBTFUL.value}'"
    f" ELSE '{Strength.LIKELY.value}' END"
)


def put_in_order(patient_ids: Iterable[UUID]) -> None:
    """Gives these people's entries the sort key that their name and the strength of their evidence make."""
    key = sort_key("e.strength", "p")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE cohort_listentry e SET sort_key = {key} FROM cohort_patient p"
            f" WHERE p.id = e.patient_id AND e.patient_id = ANY(%s::uuid[]) AND e.sort_key <> {key}",
            [[str(patient_id) for patient_id in patient_ids]],
        )


def reorder(cursor: Any) -> None:
    """Brings the sort keys of the people of `landing_people` in step with their names, which may have changed."""
    key = sort_key("e.strength", "p")
    cursor.execute(
        f"UPDATE cohort_listentry e SET sort_key = {key} FROM cohort_patient p"
        " JOIN landing_people l USING (nhs_number)"
        f" WHERE p.id = e.patient_id AND e.sort_key <> {key}"
    )

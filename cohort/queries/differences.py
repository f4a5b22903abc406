"""What one search changed against the search before it, counted from the intervals of flags. Counts only.

Somebody gained had no standing flag of the group (or none at all, where groups are not told apart)
before the run and has one after it; lost, the other way round; changed, both, on other evidence or
another version of the rule. They count at the practice where they are registered now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from cohort.models import SearchRun
from cohort.rules import RunState

_SQL = """
WITH this AS (SELECT id, finished_at FROM cohort_searchrun WHERE id = %(run)s),
touched AS (
  SELECT DISTINCT f.patient_id, {group} AS disease_group FROM cohort_flag f
  JOIN cohort_criterionversion v ON v.id = f.criterion_version_id JOIN cohort_criterion c ON c.id = v.criterion_id
  WHERE (f.run_id = %(run)s OR f.ended_in_id = %(run)s) AND (%(group)s = '' OR c.disease_group = %(group)s)
),
held AS (
  SELECT f.patient_id, touched.disease_group,
    bool_or(began.finished_at < this.finished_at AND (f.ended_in_id IS NULL OR ended.finished_at >= this.finished_at))
      AS was_found,
    bool_or(began.finished_at <= this.finished_at AND (f.ended_in_id IS NULL OR ended.finished_at > this.finished_at))
      AS is_found
  FROM touched CROSS JOIN this JOIN cohort_flag f USING (patient_id)
  JOIN cohort_criterionversion v ON v.id = f.criterion_version_id
  JOIN cohort_criterion c ON c.id = v.criterion_id AND {group} = touched.disease_group
  JOIN cohort_searchrun began ON began.id = f.run_id LEFT JOIN cohort_searchrun ended ON ended.id = f.ended_in_id
  GROUP BY 1, 2
)
SELECT practice.id, practice.code, practice.name, coalesce(ics.name, ''), held.disease_group,
  count(*) FILTER (WHERE is_found AND NOT was_found), count(*) FILTER (WHERE was_found AND NOT is_found),
  count(*) FILTER (WHERE was_found AND is_found)
FROM held JOIN cohort_patient p ON p.id = held.patient_id
JOIN accounts_organisation practice ON practice.id = p.practice_id
LEFT JOIN accounts_organisation ics ON ics.id = practice.ics_id
WHERE %(ics)s::uuid IS NULL OR practice.ics_id = %(ics)s::uuid
GROUP BY practice.id, practice.code, practice.name, ics.name, held.disease_group
ORDER BY practice.name, practice.code, held.disease_group
"""


@dataclass(frozen=True)
class Change:
    """How many people a search gained, lost, or found on other evidence."""

    gained: int
    lost: int
    changed: int


@dataclass(frozen=True)
class PracticeChange(Change):
    """The change at one practice; `group` is a disease group, or '' for people counted once whatever their groups."""

    practice_id: UUID
    code: str
    name: str
    ics: str
    group: str


@dataclass(frozen=True)
class Difference:
    """The change in all, by disease group (by name), and by practice (by name; each person once)."""

    total: Change
    by_group: list[tuple[str, Change]]
    by_practice: list[PracticeChange]


def run_before(run: SearchRun) -> SearchRun | None:
    """Returns the search that landed before this landed one, or None."""
    return (
        SearchRun.objects.filter(state=RunState.LANDED, finished_at__lt=run.finished_at)
        .order_by("-finished_at")
        .first()
    )


def difference(run: SearchRun, *, group: str = "", ics: UUID | None = None) -> Difference:
    """Returns what the run changed, of one disease group or of all, in one ICS or everywhere."""
    by_practice = changes(run, by_group=False, group=group, ics=ics)
    by_group: dict[str, list[PracticeChange]] = {}
    for row in changes(run, by_group=True, group=group, ics=ics):
        by_group.setdefault(row.group, []).append(row)
    return Difference(
        total=_sum(by_practice),
        by_group=[(name, _sum(rows)) for name, rows in sorted(by_group.items())],
        by_practice=by_practice,
    )


def changes(run: SearchRun, *, by_group: bool, group: str = "", ics: UUID | None = None) -> list[PracticeChange]:
    """Returns a row for each practice where something changed, or for each of its disease groups, by name."""
    # Asked about one group, somebody's other groups do not count even where each person counts once.
    key = "c.disease_group" if by_group or group else "''::text"
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(group=key), {"run": run.pk, "group": group, "ics": ics})
        rows: list[Any] = cursor.fetchall()
    return [
        PracticeChange(
            practice_id=practice_id,
            code=code,
            name=name,
            ics=ics_name,
            group=disease_group if by_group else "",
            gained=gained,
            lost=lost,
            changed=changed,
        )
        for practice_id, code, name, ics_name, disease_group, gained, lost, changed in rows
    ]


def _sum(rows: Iterable[Change]) -> Change:
    found = list(rows)
    return Change(
        gained=sum(row.gained for row in found),
        lost=sum(row.lost for row in found),
        changed=sum(row.changed for row in found),
    )

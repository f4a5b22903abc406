"""Reads of search runs."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet, Sum

from cohort.models import Criterion, CriterionVersion, SearchAttrition, SearchRun
from cohort.models.runs import ACTIVE_RUN_STATES
from cohort.rules import RunState

#: Before this percentage the pace says nothing.
_ENOUGH_TO_TELL = 5


def runs() -> QuerySet[SearchRun]:
    """Returns every run, the newest first."""
    return SearchRun.objects.select_related("requested_by").order_by("-requested_at")


def active_run_ids() -> list[UUID]:
    """Returns the runs that are queued or running: at most one, by the database's own rule."""
    return list(SearchRun.objects.filter(state__in=ACTIVE_RUN_STATES).values_list("pk", flat=True))


def time_left(run: SearchRun, now: datetime) -> timedelta | None:
    """Returns how long a running search will take yet if it goes on as it has; None before that can be told."""
    if run.state != RunState.RUNNING or run.started_at is None or run.percent < _ENOUGH_TO_TELL:
        return None
    return (now - run.started_at) * (100 - run.percent) / run.percent


def counts_by_criterion(run: SearchRun) -> list[dict[str, object]]:
    """Returns one row a criterion: `id`, `title`, `tier`, `group`, `version`, `people`, `only`; the high tier first.

    `only` is how many of the high tier nothing but this criterion finds: they would leave it if the
    criterion were dropped. It is None for the vulnerable, and where the run kept no combinations.
    """
    only = only_found_by(run)
    rows = (
        run.counts.values(
            "criterion_version",
            "criterion_version__criterion__title",
            "criterion_version__criterion__tier",
            "criterion_version__criterion__disease_group",
            "criterion_version__number",
        )
        .annotate(people=Sum("people"))
        .order_by("criterion_version__criterion__tier", "criterion_version__criterion__title")
    )
    return [
        {
            "id": row["criterion_version"],
            "title": row["criterion_version__criterion__title"],
            "tier": row["criterion_version__criterion__tier"],
            "group": row["criterion_version__criterion__disease_group"],
            "version": row["criterion_version__number"],
            "people": row["people"],
            "only": only.get(row["criterion_version"], 0)
            if only and row["criterion_version__criterion__tier"] == Criterion.Tier.HIGH
            else None,
        }
        for row in rows
    ]


def only_found_by(run: SearchRun) -> dict[UUID, int]:
    """Returns how many people each version of the high tier finds whom no other of that tier does; 0 is left out."""
    high = set(run.criteria.filter(criterion__tier=Criterion.Tier.HIGH).values_list("pk", flat=True))
    only: dict[UUID, int] = defaultdict(int)
    for versions, people in run.combinations.values_list("criterion_versions", "people"):
        found_by = high.intersection(versions)
        if len(found_by) == 1:
            only[found_by.pop()] += people
    return dict(only)


def groups_of(run: SearchRun) -> list[str]:
    """Returns the disease groups of the high tier that the run searched for, by name."""
    return list(
        run.criteria.filter(criterion__tier=Criterion.Tier.HIGH)
        .order_by("criterion__disease_group")
        .values_list("criterion__disease_group", flat=True)
        .distinct()
    )


def attrition(run: SearchRun, version: CriterionVersion) -> QuerySet[SearchAttrition]:
    """Returns the clauses of a criterion in the rule's order, with whom each finds and leaves; empty if not kept."""
    return run.attrition.filter(criterion_version=version).order_by("number")


def by_age_and_sex(run: SearchRun, version: CriterionVersion) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Returns the sexes, and for each age band, youngest first, how many people of each sex meet the criterion."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    sexes: set[str] = set()
    for band, sex, people in run.groups.filter(criterion_version=version).values_list("age_band", "sex", "people"):
        found[band][sex] += people
        sexes.add(sex)
    columns = sorted(sexes)
    bands = sorted(found, key=lambda band: int(band.rstrip("+").split("-")[0]))
    return columns, [(band, [found[band][sex] for sex in columns]) for band in bands]

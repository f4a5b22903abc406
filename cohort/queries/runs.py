"""Reads of search runs."""

from uuid import UUID

from django.db.models import QuerySet, Sum

from cohort.models import SearchRun
from cohort.models.runs import ACTIVE_RUN_STATES


def runs() -> QuerySet[SearchRun]:
    """Returns every run, the newest first."""
    return SearchRun.objects.select_related("requested_by").order_by("-requested_at")


def active_run_ids() -> list[UUID]:
    """Returns the runs that are queued or running: at most one, by the database's own rule."""
    return list(SearchRun.objects.filter(state__in=ACTIVE_RUN_STATES).values_list("pk", flat=True))


def counts_by_criterion(run: SearchRun) -> list[dict[str, object]]:
    """Returns one row a criterion: `title`, `tier`, `group`, `version`, `people`; the high tier first, by title."""
    rows = (
        run.counts.values(
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
            "title": row["criterion_version__criterion__title"],
            "tier": row["criterion_version__criterion__tier"],
            "group": row["criterion_version__criterion__disease_group"],
            "version": row["criterion_version__number"],
            "people": row["people"],
        }
        for row in rows
    ]

"""Whether a search can begin from the last one, and where the files of both are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from django.conf import settings

from cohort.extracts.changes import CHANGED
from cohort.models import CriterionVersion, Extract, SearchRun
from cohort.queries.extracts import extract_folder, patients_paths
from cohort.rules import RunState
from cohort.search.movers import Change

ASKED_FOR = "A full search was asked for."


@dataclass(frozen=True)
class Start:
    """The run to begin from (None: search everybody), and why, as a sentence."""

    since: SearchRun | None
    reason: str


def results_folder(run_id: UUID) -> Path:
    """Returns the folder of a run's results; it is there once the engine has finished, until a later run has landed."""
    return Path(settings.RUN_FOLDER) / str(run_id)


def starting_point(*, extracts: Sequence[Extract], versions: Sequence[CriterionVersion], search_date: date) -> Start:
    """Returns where a search of these extracts (newest first) with these criteria can begin.

    It begins from the last run that landed where its results are kept, it looked for the same
    versions of the criteria (and so of their code lists), and every supplier's extract is that of
    the run or leads back to it by what changed since.
    """
    last = SearchRun.objects.filter(state=RunState.LANDED).order_by("-finished_at").first()
    if last is None:
        return Start(None, "No search has landed before.")
    day = f"{last.search_date:%-d %B %Y}"
    if not results_folder(last.pk).is_dir():
        return Start(None, f"The results of the search of {day} are no longer kept.")
    if {version.pk for version in versions} != set(last.criteria.values_list("pk", flat=True)):
        return Start(None, f"The criteria have changed since the search of {day}.")
    if search_date < last.search_date:
        return Start(None, f"The last search was of a later day, {day}.")
    before = {extract.supplier: extract for extract in last.extracts.all()}
    now = {extract.supplier: extract for extract in extracts}
    if before.keys() != now.keys():
        come, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
        told = [f"{supplier} is new" for supplier in come] + [f"{supplier} is gone" for supplier in gone]
        return Start(None, f"The sources are not those of the search of {day}: {', '.join(told)}.")
    for supplier, extract in sorted(now.items()):
        if _changes(extract, before[supplier]) is None:
            return Start(None, f"It is not known who changed in the records of {supplier} since the search of {day}.")
    if _order(extracts) != _order(before.values()):
        return Start(None, f"Another source has the newest details of people than in the search of {day}.")
    return Start(last, f"Only those whose records, age or time windows changed since the search of {day} are searched.")


def changes_since(run: SearchRun, since: SearchRun) -> list[Change]:
    """Returns what came between the extracts of `since` and those of `run`, of each supplier the newest first."""
    before = {extract.supplier: extract for extract in since.extracts.all()}
    return [change for extract in run.extracts.all() for change in _changes(extract, before[extract.supplier]) or []]


def _changes(extract: Extract, before: Extract) -> list[Change] | None:
    """Returns what leads from one extract back to another, the newest first, or None where it does not."""
    changes: list[Change] = []
    each = extract
    while each.pk != before.pk:
        folder = extract_folder(each)
        if each.changed_since is None or not (folder / CHANGED).exists():
            return None
        changes.append(Change(before=extract_folder(each.changed_since).name, folder=folder))
        each = each.changed_since
    return changes


def _order(extracts: Iterable[Extract]) -> list[str]:
    """Returns the suppliers of people's details, the newest first: of somebody in several the first counts."""
    found = sorted(extracts, key=lambda extract: (extract.as_at, extract.loaded_at), reverse=True)
    return [extract.supplier for extract in found if patients_paths([extract])]

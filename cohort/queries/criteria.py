"""Reads of criteria and code lists: what is in force, and the form the search takes it in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from cohort.drafting import OPEN_DRAFTS, DraftState
from cohort.models import (
    CodeListCode,
    CodeListVersion,
    CriterionDraft,
    CriterionVersion,
    SearchCount,
    SearchRun,
)
from cohort.models import Criterion as CriterionRow
from cohort.search.codec import from_json
from cohort.search.criteria import CodeSet, Criterion


class CodeListsDisagree(Exception):
    """Two criteria of one search use different versions of the same code list, which the message names."""


def criteria_in_force() -> list[CriterionVersion]:
    """Returns the newest published version of each criterion, by slug, with criterion and code lists loaded."""
    newest = CriterionVersion.objects.order_by("criterion__slug", "-number").distinct("criterion__slug")
    return list(newest.select_related("criterion").prefetch_related("code_lists__code_list"))


def code_sets_for(versions: Sequence[CriterionVersion]) -> dict[str, CodeSet]:
    """Returns the code lists that these versions read, by slug; `CodeSet.version` is the CodeListVersion's key.

    Raises CodeListsDisagree where two versions of one list are wanted.
    """
    wanted: dict[str, CodeListVersion] = {}
    for version in versions:
        for each in version.code_lists.select_related("code_list"):
            if wanted.setdefault(each.code_list.slug, each) != each:
                raise CodeListsDisagree(f"Criteria use different versions of the code list {each.code_list.slug}.")
    return code_sets(wanted.values())


def code_sets(versions: Iterable[CodeListVersion]) -> dict[str, CodeSet]:
    """Returns these versions of code lists by slug, no two of one list, as the search takes them."""
    wanted = {version.pk: version.code_list.slug for version in versions}
    codes: dict[int, set[tuple[str, str]]] = {pk: set() for pk in wanted}
    pairs: dict[int, set[tuple[str, str, str]]] = {pk: set() for pk in wanted}
    rows = CodeListCode.objects.filter(version__in=codes).values_list("version_id", "system", "code", "paired_code")
    for pk, system, code, paired_code in rows:
        if paired_code:
            pairs[pk].add((system, code, paired_code))
        else:
            codes[pk].add((system, code))
    return {slug: CodeSet(slug, pk, frozenset(codes[pk]), frozenset(pairs[pk])) for pk, slug in wanted.items()}


def search_criterion(version: CriterionVersion) -> Criterion:
    """Returns the criterion that a version holds. Raises a CriterionError where it is not well formed."""
    return from_json(version.definition)


@dataclass(frozen=True)
class Standing:
    """One criterion as the list of criteria shows it.

    `version` is in force (None: never published), `people` were found by the last search (None: it
    was not in it), `draft` is open (None: none is).
    """

    criterion: CriterionRow
    version: CriterionVersion | None
    people: int | None
    draft: CriterionDraft | None


def standings() -> list[Standing]:
    """Returns every criterion that is in force or being drafted: high risk first, then by disease group and title."""
    versions = {version.criterion_id: version for version in criteria_in_force()}
    drafts = {draft.criterion_id: draft for draft in open_drafts()}
    found = people_found(last_run())
    rows = CriterionRow.objects.filter(pk__in={*versions, *drafts}).order_by("tier", "disease_group", "title")
    return [Standing(row, versions.get(row.pk), found.get(row.pk), drafts.get(row.pk)) for row in rows]


def published() -> QuerySet[CriterionRow]:
    """Returns the criteria that have a version."""
    return CriterionRow.objects.filter(versions__isnull=False).distinct()


def open_drafts() -> QuerySet[CriterionDraft]:
    """Returns the drafts that are still being argued over."""
    states = [state.value for state in OPEN_DRAFTS]
    return CriterionDraft.objects.filter(state__in=states).select_related("criterion", "begun_by", "based_on")


def waiting_for_sign_off() -> QuerySet[CriterionDraft]:
    """Returns the drafts that wait for a second clinician or to be published."""
    return open_drafts().filter(state=DraftState.PROPOSED)


def last_run() -> SearchRun | None:
    """Returns the search that landed last, or None."""
    return SearchRun.objects.filter(state="LANDED").order_by("-finished_at").first()


def people_found(run: SearchRun | None) -> dict[int, int]:
    """Returns how many people each criterion found in a run, by the criterion's key; 0 where it found nobody."""
    if run is None:
        return {}
    found = dict.fromkeys(run.criteria.values_list("criterion_id", flat=True), 0)
    counts = SearchCount.objects.filter(run=run).values_list("criterion_version__criterion_id")
    return found | dict(counts.annotate(people=Sum("people")))


def history(criterion: CriterionRow) -> list[CriterionVersion]:
    """Returns every published version of a criterion, the newest first, with who wrote and signed it."""
    versions = criterion.versions.select_related("published_by", "written_by", "signed_off_by").order_by("-number")
    return list(versions.prefetch_related("code_lists__code_list"))

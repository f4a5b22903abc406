"""Reads of criteria and code lists: what is in force, and the form the search takes it in."""

from collections.abc import Sequence

from cohort.models import CodeListCode, CriterionVersion
from cohort.search.codec import from_json
from cohort.search.criteria import (CodeSet, Criterion)


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
    wanted: dict[str, int] = {}
    for version in versions:
        for each in version.code_lists.select_related("code_list"):
            if wanted.setdefault(each.code_list.slug, each.pk) != each.pk:
                raise CodeListsDisagree(f"Criteria use different versions of the code list {each.code_list.slug}.")
    codes: dict[int, set[tuple[str, str]]] = {pk: set() for pk in wanted.values()}
    pairs: dict[int, set[tuple[str, str, str]]] = {pk: set() for pk in wanted.values()}
    rows = CodeListCode.objects.filter(version__in=codes).values_list("version_id", "system", "code", "paired_code")
    for pk, system, code, paired_code in rows:
        if paired_code:
            pairs[pk].add((system, code, paired_code))
        else:
            codes[pk].add((system, code))
    return {slug: CodeSet(slug, pk, frozenset(codes[pk]), frozenset(pairs[pk])) for slug, pk in wanted.items()}


def search_criterion(version: CriterionVersion) -> Criterion:
    """Returns the criterion that a version holds. Raises a CriterionError where it is not well formed."""
    return from_json(version.definition)

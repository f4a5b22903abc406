"""Loading the criteria set that comes with the product."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

from django.db import transaction

from cohort.actions.cases import store_case
from cohort.actions.codelists import load_code_list
from cohort.codelists import Code
from cohort.models import AssuranceCase, CodeListVersion, Criterion, CriterionVersion
from cohort.queries.drafts import case_of
from cohort.search import criteria as model
from cohort.search.assurance import BadCase, Case, case_from_json
from cohort.search.codec import from_json, to_json
from cohort.search.english import plain_english

_COLUMNS = ["system", "code", "paired_code", "term"]


class BadCodeListFile(ValueError):
    """A shipped code list has other columns than system, code, paired_code, term, or an empty code."""


@dataclass(frozen=True)
class LoadedCriteria:
    """What loading made anew: nothing, where the content was there already."""

    code_lists: list[CodeListVersion]
    criteria: list[CriterionVersion]
    cases: list[AssuranceCase]


def shipped_criteria() -> list[model.Criterion]:
    """Returns the criteria of the shipped set, in the order of their files' names."""
    folder = resources.files("cohort.criteria_set") / "criteria"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    return [from_json(json.loads(file.read_text(encoding="utf-8"))) for file in files]


def shipped_cases() -> list[tuple[str, Case]]:
    """Returns (slug of the criterion, case) for each assurance case of the shipped set. Raises BadCase."""
    file = resources.files("cohort.criteria_set") / "assurance.json"
    if not file.is_file():
        return []
    return [(str(item.get("criterion")), case_from_json(item)) for item in json.loads(file.read_text(encoding="utf-8"))]


def load_criteria_set(*, at: datetime) -> LoadedCriteria:
    """Loads the shipped code lists, criteria and assurance cases and publishes them; returns what is new.

    Content that was shipped before makes nothing, even where clinicians have published something else
    since; changed content makes the next version. A case that differs from the shipped one of its name
    replaces it. Raises BadCodeListFile, BadCase or a CriterionError where the shipped files are wrong,
    and then loads nothing.
    """
    made = LoadedCriteria([], [], [])
    with transaction.atomic():
        lists = {slug: _load_code_list(slug, content, at=at, made=made) for slug, content in _shipped_lists()}
        for criterion in shipped_criteria():
            _load_criterion(criterion, lists, at=at, made=made)
        for slug, case in shipped_cases():
            _load_case(slug, case, at=at, made=made)
    return made


def _shipped_lists() -> Iterator[tuple[str, bytes]]:
    folder = resources.files("cohort.criteria_set") / "codelists"
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".csv"):
            yield file.name.removesuffix(".csv"), file.read_bytes()


def _load_code_list(slug: str, content: bytes, *, at: datetime, made: LoadedCriteria) -> CodeListVersion:
    sha256 = hashlib.sha256(content).hexdigest()
    if there := CodeListVersion.objects.filter(code_list__slug=slug, sha256=sha256).first():
        return there
    version = load_code_list(
        slug=slug,
        name=slug.replace("-", " ").capitalize(),
        rows=_rows(slug, content),
        origin=f"{slug}.csv, of the criteria set that comes with the product",
        sha256=sha256,
        at=at,
    )
    assert version is not None, "a file that is not there yet makes a version"  # noqa: S101
    made.code_lists.append(version)
    return version


def _rows(slug: str, content: bytes) -> list[Code]:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), restval="", restkey="more")
    rows = list(reader)
    if reader.fieldnames != _COLUMNS:
        raise BadCodeListFile(f"{slug}.csv must have the columns {', '.join(_COLUMNS)}")
    for number, row in enumerate(rows, start=2):
        if "more" in row or not row["system"] or not row["code"]:
            raise BadCodeListFile(f"{slug}.csv line {number} must have a system, a code and no more than 4 columns")
    return [Code(**row) for row in rows]


def _load_criterion(
    definition: model.Criterion, lists: dict[str, CodeListVersion], *, at: datetime, made: LoadedCriteria
) -> None:
    about = {"title": definition.title, "tier": definition.tier.value, "disease_group": definition.disease_group}
    Criterion.objects.get_or_create(slug=definition.slug, defaults=about)
    criterion = Criterion.objects.select_for_update().get(slug=definition.slug)
    written = to_json(definition)
    try:
        needed = {lists[slug] for slug in model.code_lists(definition)}
    except KeyError as error:
        raise model.UnknownCodeList(f"{definition.slug} reads a code list that is not shipped: {error}") from None
    newest = criterion.versions.order_by("-number").first()
    shipped = criterion.versions.filter(written_by=None).order_by("-number").first()
    if shipped and shipped.definition == written and set(shipped.code_lists.all()) == needed:
        return
    criterion.title, criterion.tier, criterion.disease_group = about["title"], about["tier"], about["disease_group"]
    criterion.save(update_fields=list(about))
    version = CriterionVersion.objects.create(
        criterion=criterion,
        number=newest.number + 1 if newest else 1,
        definition=written,
        plain_english=plain_english(definition),
        published_at=at,
    )
    version.code_lists.set(needed)
    made.criteria.append(version)


def _load_case(slug: str, case: Case, *, at: datetime, made: LoadedCriteria) -> None:
    criterion = Criterion.objects.filter(slug=slug).first()
    if criterion is None:
        raise BadCase(f"The case “{case.name}” is of a criterion that is not there: {slug}")
    there = criterion.cases.filter(name=case.name).order_by("-added_at", "-pk")
    shipped = there.filter(added_by=None).first()
    if shipped and case_of(shipped) == case:
        return
    there.filter(retired_at=None).update(retired_at=at, retired_why="Replaced by the one that comes with the product")
    made.cases.append(store_case(criterion, case, user=None, at=at))

"""Reads of drafts of criteria: what one says now, and what checks and assurance cases make of it."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from cohort.drafting import SignOffOutcome, may_sign_off, obstacles
from cohort.models import AssuranceCase, CodeListVersion, CriterionDraft, CriterionVersion, DraftRevision, SignOff
from cohort.models import Criterion as CriterionRow
from cohort.queries.criteria import code_sets, criteria_in_force
from cohort.search.assurance import Case, CaseResult, case_from_json, run_cases
from cohort.search.checks import Problem, Severity, check_criterion
from cohort.search.codec import from_json
from cohort.search.criteria import CodeSet, Criterion


@dataclass(frozen=True)
class Assessed:
    """One case of the store, and what became of it."""

    row: AssuranceCase
    result: CaseResult


@dataclass(frozen=True)
class Opened:
    """A draft with its newest revision, as a search of `on` would read it."""

    draft: CriterionDraft
    revision: DraftRevision
    on: date
    code_lists: list[CodeListVersion] = field(default_factory=list)

    @cached_property
    def criterion(self) -> Criterion:
        """What the revision says."""
        return from_json(self.revision.definition)

    @cached_property
    def code_sets(self) -> dict[str, CodeSet]:
        """The versions of code lists that it reads, by slug."""
        return code_sets(self.code_lists)

    @cached_property
    def problems(self) -> list[Problem]:
        """What is wrong with it, errors first."""
        found = check_criterion(self.criterion, self.code_sets, search_date=self.on)
        return [*found, *_older_lists(self.code_lists), *self._others(), *self._no_cases()]

    @cached_property
    def cases(self) -> list[Assessed]:
        """Its assurance cases, each run through the reference engine."""
        rows = standing_cases(self.draft.criterion)
        results = run_cases(self.criterion, [case_of(row) for row in rows], self.code_sets)
        return [Assessed(row, result) for row, result in zip(rows, results, strict=True)]

    @property
    def obstacles(self) -> list[str]:
        """What keeps it from being proposed, approved and published, a sentence each."""
        return obstacles(self.problems, [case.result for case in self.cases])

    @cached_property
    def sign_off(self) -> SignOff | None:
        """The newest sign-off of this revision, or None."""
        return self.revision.sign_offs.select_related("by").order_by("-at", "-pk").first()

    @property
    def is_approved(self) -> bool:
        """Whether a second clinician has approved this very revision."""
        return self.sign_off is not None and self.sign_off.outcome == SignOffOutcome.APPROVED

    @cached_property
    def authors(self) -> set[UUID]:
        """Who has changed the draft."""
        return set(self.draft.revisions.filter(is_change=True).values_list("changed_by_id", flat=True))

    def may_be_signed_off_by(self, user_id: UUID) -> bool:
        """Says whether this user may sign it off: nobody signs their own change off."""
        return may_sign_off(user_id, authors=self.authors)

    @cached_property
    def disagreeing(self) -> list[CriterionVersion]:
        """The other criteria in force that read another version of one of its lists: one search takes one version."""
        return disagreeing(self.draft.criterion, self.code_lists)

    def _others(self) -> list[Problem]:
        what = "“{}” is in force with another version of a code list that this draft reads."
        do = "Begin a draft of it that reads the same version: the two are published together."
        return [Problem(Severity.WARNING, "", what.format(version.criterion.title), do) for version in self.disagreeing]

    def _no_cases(self) -> list[Problem]:
        if standing_cases(self.draft.criterion):
            return []
        what = "There is no example person to test this criterion with."
        return [Problem(Severity.WARNING, "", what, "Add one who should be found, and one who nearly should.")]


def every_draft() -> QuerySet[CriterionDraft]:
    """Returns all drafts, the ended ones too, with what their page names."""
    return CriterionDraft.objects.select_related("criterion", "based_on", "begun_by", "ended_by")


def opened(draft: CriterionDraft, *, on: date) -> Opened:
    """Returns the draft with its newest revision, as a search of `on` would read it."""
    revision = draft.revisions.select_related("changed_by").get(number=draft.revision_number)
    lists = list(revision.code_lists.select_related("code_list").order_by("code_list__slug"))
    return Opened(draft, revision, on, lists)


def disagreeing(criterion: CriterionRow, lists: list[CodeListVersion]) -> list[CriterionVersion]:
    """Returns the other criteria in force that read another version of one of these lists."""
    pinned = {version.code_list_id: version.pk for version in lists}
    return [
        version
        for version in criteria_in_force()
        if version.criterion_id != criterion.pk
        and any(pinned.get(each.code_list_id, each.pk) != each.pk for each in version.code_lists.all())
    ]


def _older_lists(lists: list[CodeListVersion]) -> list[Problem]:
    newest = newest_lists()
    return [
        Problem(
            Severity.WARNING,
            "",
            f"It reads version {each.number} of the code list “{each.code_list.slug}”, and there is version"
            f" {newest[each.code_list.slug].number}.",
            "Take the newest version, or be sure that the older one is meant.",
        )
        for each in lists
        if newest[each.code_list.slug] != each
    ]


def newest_lists() -> dict[str, CodeListVersion]:
    """Returns the newest version of every code list, by slug."""
    versions = CodeListVersion.objects.select_related("code_list").order_by("code_list__slug", "-number")
    return {version.code_list.slug: version for version in versions.distinct("code_list__slug")}


def every_case(slug: str) -> QuerySet[AssuranceCase]:
    """Returns the example people of a criterion, those retired too."""
    return AssuranceCase.objects.select_related("criterion").filter(criterion__slug=slug)


def standing_cases(criterion: CriterionRow) -> list[AssuranceCase]:
    """Returns the criterion's assurance cases that have not been retired, by name."""
    return list(criterion.cases.filter(retired_at=None).select_related("added_by").order_by("name"))


def case_of(row: AssuranceCase) -> Case:
    """Returns the case as the reference engine takes it."""
    return case_from_json(
        {
            "name": row.name,
            "birth_date": row.birth_date.isoformat(),
            "sex": row.sex,
            "records": row.records,
            "search_date": row.search_date.isoformat(),
            "expected": row.expected,
            "why": row.why,
        }
    )

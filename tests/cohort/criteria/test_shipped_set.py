"""The criteria that come with the product pass the checks and their own example people."""

from datetime import date

import pytest
from django.utils import timezone

from cohort.actions.criteria import load_criteria_set
from cohort.models import AssuranceCase, CriterionVersion
from cohort.queries.criteria import code_sets, criteria_in_force, search_criterion
from cohort.queries.drafts import case_of, standing_cases
from cohort.search.assurance import run_cases
from cohort.search.checks import Severity, check_criterion, unused_lists
from tests.cohort.criteria.conftest import publish

pytestmark = pytest.mark.django_db


def test_the_shipped_set_passes_its_checks_and_examples_and_loads_once() -> None:
    load_criteria_set(at=timezone.now())
    read = set()
    for version in criteria_in_force():
        criterion, lists = search_criterion(version), code_sets(version.code_lists.all())
        read |= lists.keys()
        problems = check_criterion(criterion, lists, search_date=date(2020, 3, 20))
        assert [each for each in problems if each.severity is Severity.ERROR] == [], criterion.slug
        rows = standing_cases(version.criterion)
        assert rows, f"{criterion.slug} has no example people"
        failing = [each for each in run_cases(criterion, [case_of(row) for row in rows], lists) if not each.is_passed]
        assert [(each.case.name, each.in_words) for each in failing] == []
    assert unused_lists(read, map(search_criterion, criteria_in_force())) == []
    cases = AssuranceCase.objects.count()
    again = load_criteria_set(at=timezone.now())
    assert (again.criteria, again.code_lists, again.cases) == ([], [], [])
    assert AssuranceCase.objects.count() == cases


def test_loading_again_leaves_what_clinicians_published_since_in_force(chidi: object, ingrid: object) -> None:
    load_criteria_set(at=timezone.now())
    shipped = CriterionVersion.objects.get(criterion__slug="severe-asthma")
    changed = publish(search_criterion(shipped), *shipped.code_lists.all(), number=2)
    assert changed.written_by is None
    theirs = CriterionVersion.objects.create(
        criterion=shipped.criterion,
        number=3,
        definition=shipped.definition | {"title": "Another title"},
        plain_english="Changed",
        published_at=timezone.now(),
        written_by=chidi.user,  # type: ignore[attr-defined]
        signed_off_by=ingrid.user,  # type: ignore[attr-defined]
    )
    assert load_criteria_set(at=timezone.now()).criteria == []
    assert theirs in criteria_in_force()

"""What the tests of drafts share: two clinicians at the centre, and severe asthma in force."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cohort.models import CodeListCode, CodeListVersion, Criterion, CriterionDraft, CriterionVersion
from cohort.search import criteria as model
from cohort.search.assurance import Case
from cohort.search.codec import from_json, to_json
from cohort.search.english import plain_english
from cohort.search.reference import Person, Record
from cohort.search.terms import CountedAs, SexCode, Source, Threshold, Tier, Unit, Window
from shielding.accounts.models import Membership, Organisation, Role
from tests.cohort.factories import NOW, CodeListVersionFactory, MembershipFactory, OrganisationFactory, sign_in

__all__ = ["sign_in"]

INHALER, PREDNISOLONE = "9207411000001106", "325426006"
SEARCHED = date(2020, 3, 14)
RULE = model.AllOf(
    (
        model.Records("Long-acting inhaler", "asthma-inhaler", (Source.MEDICINES,)),
        model.Records(
            "Prednisolone dispensed",
            "prednisolone",
            (Source.MEDICINES,),
            Window(6, Unit.MONTHS, "England's rule"),
            Threshold(4, "England's rule"),
            CountedAs.DISTINCT_DATES,
        ),
    )
)
ASTHMA = model.Criterion("severe-asthma", "Severe asthma", Tier.HIGH, "Respiratory (severe asthma)", RULE)


def make_list(slug: str, *codes: str, system: str = "DMD", number: int = 1) -> CodeListVersion:
    """Returns a version of a code list with these codes."""
    version: CodeListVersion = CodeListVersionFactory(
        code_list__slug=slug, code_list__name=slug.replace("-", " ").capitalize(), number=number, sha256=f"{number:064}"
    )
    CodeListCode.objects.bulk_create(
        CodeListCode(version=version, system=system, code=code, term=f"Term of {code}") for code in codes
    )
    return version


def publish(criterion: model.Criterion, *lists: CodeListVersion, number: int = 1) -> CriterionVersion:
    """Returns a version in force that came with the product."""
    row, _ = Criterion.objects.get_or_create(
        slug=criterion.slug,
        defaults={"title": criterion.title, "tier": criterion.tier.value, "disease_group": criterion.disease_group},
    )
    version = CriterionVersion.objects.create(
        criterion=row,
        number=number,
        definition=to_json(criterion),
        plain_english=plain_english(criterion),
        published_at=NOW,
    )
    version.code_lists.set(lists)
    return version


def dispensed(times: int) -> tuple[Record, ...]:
    """Returns an inhaler and so many dispensings of prednisolone, in March 2020."""
    tablets = (Record("DMD", PREDNISOLONE, date(2020, 3, 1 + day), Source.MEDICINES) for day in range(times))
    return (Record("DMD", INHALER, date(2020, 1, 5), Source.MEDICINES), *tablets)


def example(name: str, times: int, *, expected: bool) -> Case:
    """Returns a case of a woman with so many dispensings."""
    return Case(name, Person(date(1960, 2, 29), SexCode.FEMALE, dispensed(times)), SEARCHED, expected, "England's rule")


def with_count(draft: CriterionDraft, count: int) -> model.Criterion:
    """Returns what the draft says, with another number of dispensings."""
    held = from_json(draft.revisions.get(number=draft.revision_number).definition)
    first, second = held.rule.clauses
    changed = replace(second, at_least=Threshold(count, "Scotland's rule"))
    return replace(held, rule=model.AllOf((first, changed)))


@pytest.fixture
def clinician(db: None) -> Callable[[str], Membership]:
    """A function that returns a clinician of that name at the centre."""
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE, name="National shielding team")

    def _clinician(name: str, role: Role = Role.CENTRAL_CLINICIAN) -> Membership:
        made: Membership = MembershipFactory(organisation=centre, role=role, user__name=name)
        return made

    return _clinician


@pytest.fixture
def chidi(clinician: Any) -> Membership:
    """The clinician who changes things."""
    return clinician("Dr Chidi Eze")  # type: ignore[no-any-return]


@pytest.fixture
def ingrid(clinician: Any) -> Membership:
    """The clinician who signs off."""
    return clinician("Dr Ingrid Solberg")  # type: ignore[no-any-return]


@pytest.fixture
def asthma(db: None) -> CriterionVersion:
    """Severe asthma, version 1, in force."""
    return publish(ASTHMA, make_list("asthma-inhaler", INHALER), make_list("prednisolone", PREDNISOLONE))

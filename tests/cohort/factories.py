"""Invented rows for tests: 999 NHS numbers, and a fixed cast.

Other apps' tests may import the factories, and the fixture `cast` into their own conftest.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import factory
import nhs_number
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from factory.django import DjangoModelFactory

from cohort.actions.order import put_in_order
from cohort.models import (
    CodeList,
    CodeListVersion,
    Criterion,
    CriterionVersion,
    Evidence,
    Flag,
    ListEntry,
    ListFact,
    Patient,
    PracticeList,
    SearchRun,
)
from shielding.accounts.models import Membership, Organisation, Role, User

#: A Friday evening in March: 7 pm in London.
NOW = datetime(2020, 3, 20, 19, 0, tzinfo=UTC)
PASSWORD = "a long enough password"


_identifiers = itertools.count(999_000_000)
_numbers: list[str] = []


def invented_nhs_number(n: int) -> str:
    """Returns the nth (from 0) valid NHS number of the range kept for tests, 999."""
    while len(_numbers) <= n:
        identifier = next(_identifiers)
        check = nhs_number.calculate_checksum(str(identifier))
        if check is not None and nhs_number.is_valid(f"{identifier}{check}"):
            _numbers.append(f"{identifier}{check}")
    return _numbers[n]


class OrganisationFactory(DjangoModelFactory[Organisation]):
    """A practice, unless `kind` says otherwise. A local authority also needs `local_authority`."""

    class Meta:
        model = Organisation

    kind = Organisation.Kind.PRACTICE
    code = factory.Sequence(lambda n: f"Z{n:05d}")
    name = factory.Sequence(lambda n: f"Mill Lane Surgery {n}")


#: One round of hashing: Django's usual number takes a third of a second a user.
_QUICK_HASH = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)


class UserFactory(DjangoModelFactory[User]):
    """Somebody who can sign in with `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.test")
    name = factory.Sequence(lambda n: f"User {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return super()._create(model_class, *args, password=_QUICK_HASH, **kwargs)


class MembershipFactory(DjangoModelFactory[Membership]):
    """A GP at a practice, unless told otherwise."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organisation = factory.SubFactory(OrganisationFactory)
    role = Role.GP


class PatientFactory(DjangoModelFactory[Patient]):
    """Somebody with an address and a mobile, at a practice of their own unless told."""

    class Meta:
        model = Patient

    nhs_number = factory.Sequence(invented_nhs_number)
    given_name = "Dana"
    family_name = factory.Sequence(lambda n: f"Example{n:05d}")
    birth_date = date(1950, 6, 1)
    sex = "F"
    practice = factory.SubFactory(OrganisationFactory)
    address_lines = ["1 Mill Lane", "Sutton"]
    postcode = "SM1 1AA"
    mobile = "07700900123"
    as_at = date(2020, 3, 14)


class SearchRunFactory(DjangoModelFactory[SearchRun]):
    """A run that has landed."""

    class Meta:
        model = SearchRun

    state = "LANDED"
    search_date = date(2020, 3, 14)
    requested_at = NOW - timedelta(days=2)
    started_at = NOW - timedelta(days=2)
    finished_at = NOW - timedelta(days=2)
    percent = 100


class CriterionFactory(DjangoModelFactory[Criterion]):
    """A high-risk criterion, one per slug."""

    class Meta:
        model = Criterion
        django_get_or_create = ("slug",)

    slug = factory.Sequence(lambda n: f"criterion-{n}")
    title = factory.LazyAttribute(lambda o: o.slug.replace("-", " ").capitalize())
    tier = "HIGH"
    disease_group = factory.LazyAttribute(lambda o: o.title)


class CriterionVersionFactory(DjangoModelFactory[CriterionVersion]):
    """Version 1 of a criterion of its own."""

    class Meta:
        model = CriterionVersion
        django_get_or_create = ("criterion", "number")

    criterion = factory.SubFactory(CriterionFactory)
    number = 1
    definition: dict[str, Any] = {}
    plain_english = factory.LazyAttribute(lambda o: f"Has a record of {o.criterion.title.lower()}.")
    published_at = NOW - timedelta(days=30)


class CodeListVersionFactory(DjangoModelFactory[CodeListVersion]):
    """Version 1 of a code list of its own."""

    class Meta:
        model = CodeListVersion
        django_get_or_create = ("code_list", "number")

    class _CodeListFactory(DjangoModelFactory[CodeList]):
        class Meta:
            model = CodeList
            django_get_or_create = ("slug",)

        slug = "solid-transplant"
        name = "Solid transplant"

    code_list = factory.SubFactory(_CodeListFactory)
    number = 1
    origin = "solid-transplant.csv"
    sha256 = "0" * 64
    loaded_at = NOW - timedelta(days=30)


class FlagFactory(DjangoModelFactory[Flag]):
    """One criterion met; pass `run` and `patient`."""

    class Meta:
        model = Flag

    run = factory.SubFactory(SearchRunFactory)
    patient = factory.SubFactory(PatientFactory)
    criterion_version = factory.SubFactory(CriterionVersionFactory)


class EvidenceFactory(DjangoModelFactory[Evidence]):
    """A GP record of a kidney transplant."""

    class Meta:
        model = Evidence

    flag = factory.SubFactory(FlagFactory)
    clause = "A solid organ transplant, ever"
    system = "SNOMED"
    code = "70536003"
    term = "Transplant of kidney"
    event_date = date(2014, 5, 3)
    source = "GP"
    code_list_version = factory.SubFactory(CodeListVersionFactory)


class PracticeListFactory(DjangoModelFactory[PracticeList]):
    """A list due in five days."""

    class Meta:
        model = PracticeList

    run = factory.SubFactory(SearchRunFactory)
    practice = factory.SubFactory(OrganisationFactory)
    due_date = NOW.date() + timedelta(days=5)


class ListEntryFactory(DjangoModelFactory[ListEntry]):
    """A flagged person on a practice's list, to review. Pass `practice_list`, and `patient` or `patient__...`.

    Makes the algorithm's fact too, which is why they are on the list; `because=None` makes none.
    """

    class Meta:
        model = ListEntry

    practice_list = factory.SubFactory(PracticeListFactory)
    patient = factory.SubFactory(PatientFactory, practice=factory.SelfAttribute("..practice_list.practice"))
    is_flagged = True
    is_on_list = True
    changed_at = NOW - timedelta(days=2)
    review_state = "TO_REVIEW"
    listed_at = NOW - timedelta(days=2)
    strength = "LIKELY"
    because = factory.LazyAttribute(
        lambda o: ListFact.objects.create(
            patient=o.patient, source="ALGORITHM", request="ADD", at=NOW - timedelta(days=2), run=o.practice_list.run
        )
    )

    @classmethod
    def _create(cls, model_class: type[ListEntry], *args: Any, **kwargs: Any) -> ListEntry:
        entry = super()._create(model_class, *args, **kwargs)
        put_in_order([entry.pk])
        entry.refresh_from_db(fields=["sort_key"])
        return entry


def fill_list(practice_list: PracticeList, count: int, *, group: str = "Respiratory (severe asthma)") -> None:
    """Puts that many flagged people to review on a list, each with one piece of evidence, in few statements."""
    patients = PatientFactory.build_batch(count, practice=practice_list.practice)
    Patient.objects.bulk_create(patients)
    said_at = NOW - timedelta(days=2)
    facts = ListFact.objects.bulk_create(
        ListFact(patient=patient, source="ALGORITHM", request="ADD", at=said_at, run=practice_list.run)
        for patient in patients
    )
    ListEntry.objects.bulk_create(
        ListEntry(
            patient=fact.patient,
            practice_list=practice_list,
            is_flagged=True,
            is_on_list=True,
            because=fact,
            changed_at=said_at,
            review_state="TO_REVIEW",
            listed_at=said_at,
            strength="DOUBTFUL",
        )
        for fact in facts
    )
    put_in_order(patient.pk for patient in patients)
    criterion = CriterionFactory(slug="severe-asthma", disease_group=group)
    version = CriterionVersionFactory(criterion=criterion)
    flags = Flag.objects.bulk_create(
        Flag(run=practice_list.run, patient=patient, criterion_version=version) for patient in patients
    )
    Evidence.objects.bulk_create(EvidenceFactory.build(flag=flag, code_list_version=None) for flag in flags)


@dataclass
class Cast:
    """The fixed cast, for tests of who may see and do what.

    Amina and Bob are flagged, on the list and waiting for review at the first practice; Charlie is
    at the second practice and must never be seen by the first.
    """

    practice: Organisation
    gp: Membership
    staff: Membership
    run: SearchRun
    practice_list: PracticeList
    amina: Patient
    bob: Patient
    other_practice: Organisation
    other_gp: Membership
    other_list: PracticeList
    charlie: Patient


def make_cast() -> Cast:
    """Returns the cast, made in the database."""
    practice = OrganisationFactory(name="Mill Lane Surgery", code="Z90001", phone="01632 960001")
    other_practice = OrganisationFactory(name="Harbour Practice", code="Z90002", phone="01632 960002")
    run = SearchRunFactory()
    practice_list = PracticeListFactory(run=run, practice=practice)
    other_list = PracticeListFactory(run=run, practice=other_practice)

    def person(given: str, family: str, born: date, sex: str, on: PracticeList, slug: str, group: str) -> Patient:
        entry = ListEntryFactory(
            practice_list=on,
            patient__given_name=given,
            patient__family_name=family,
            patient__birth_date=born,
            patient__sex=sex,
        )
        criterion = CriterionFactory(slug=slug, title=group, disease_group=group)
        flag = FlagFactory(run=run, patient=entry.patient, criterion_version__criterion=criterion)
        EvidenceFactory(flag=flag)
        return entry.patient

    transplant, asthma = ("solid-transplant", "Transplants (solid)"), ("severe-asthma", "Respiratory (severe asthma)")
    return Cast(
        practice=practice,
        gp=MembershipFactory(organisation=practice, role=Role.GP, user__name="Dr Grace Okafor"),
        staff=MembershipFactory(organisation=practice, role=Role.PRACTICE_STAFF, user__name="Sam Hill"),
        run=run,
        practice_list=practice_list,
        amina=person("Amina", "Khan", date(1961, 2, 14), "F", practice_list, *transplant),
        bob=person("Bob", "Marsh", date(1948, 11, 2), "M", practice_list, *asthma),
        other_practice=other_practice,
        other_gp=MembershipFactory(organisation=other_practice, role=Role.GP, user__name="Dr Tom Reed"),
        other_list=other_list,
        charlie=person("Charlie", "Stone", date(1955, 7, 30), "M", other_list, *transplant),
    )


@pytest.fixture
def cast(db: None) -> Cast:
    """The fixed cast in a fresh database."""
    return make_cast()


@pytest.fixture
def sign_in(client: Any) -> Callable[[Membership], Any]:
    """Returns a function that signs a membership's user in and gives the test client back."""

    def _sign_in(membership: Membership) -> Any:
        client.force_login(membership.user)
        return client

    return _sign_in

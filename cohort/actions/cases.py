"""Keeping assurance cases: example people with the answer that clinicians expect of a criterion."""

from datetime import datetime

from django.db import IntegrityError, transaction

from cohort.models import AssuranceCase, Criterion
from cohort.policies import check_can_change_criteria
from cohort.search.assurance import Case, record_to_json
from shielding.accounts.models import Membership, User


class CaseExists(Exception):
    """The criterion has an example person of that name."""


class AlreadyRetired(Exception):
    """Somebody else has retired the case."""


def add_case(*, criterion: Criterion, case: Case, by: Membership | None, at: datetime) -> AssuranceCase:
    """Returns the case, kept with the criterion from now on. Raises CaseExists where the name is taken."""
    return store_case(criterion, case, user=check_can_change_criteria(by).user, at=at)


def store_case(criterion: Criterion, case: Case, *, user: User | None, at: datetime) -> AssuranceCase:
    """Returns the case as stored; without a user it came with the product. Raises CaseExists."""
    try:
        with transaction.atomic():
            return AssuranceCase.objects.create(
                criterion=criterion,
                name=case.name,
                birth_date=case.person.birth_date,
                sex=case.person.sex.value,
                records=[record_to_json(record) for record in case.person.records],
                search_date=case.search_date,
                expected=case.expected,
                why=case.why,
                added_at=at,
                added_by=user,
            )
    except IntegrityError as error:
        if "one_standing_case_of_a_name" not in str(error):
            raise
        raise CaseExists(f"There is an example person called {case.name} already.") from None


@transaction.atomic
def retire_case(*, case_id: int, why: str, by: Membership | None, at: datetime) -> AssuranceCase:
    """Returns the case, which is run no more but kept. Raises AlreadyRetired."""
    user = check_can_change_criteria(by).user
    case = AssuranceCase.objects.select_for_update().get(pk=case_id)
    if case.retired_at is not None:
        raise AlreadyRetired("That example person has been taken out already.")
    case.retired_at, case.retired_by, case.retired_why = at, user, why
    case.save(update_fields=["retired_at", "retired_by", "retired_why"])
    return case

"""A GP signs the practice's list off."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from cohort import policies
from cohort.actions.decisions import ListSubmitted
from cohort.models import PracticeList
from cohort.queries.worklists import entries
from cohort.rules import ReviewState
from shielding.accounts.models import Membership


class PeopleLeft(Exception):
    """A list with people still to review is not signed off; `count` says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} people are still to review")
        self.count = count


@transaction.atomic
def submit_list(*, list_id: UUID, by: Membership, at: datetime) -> PracticeList:
    """Signs a list off and returns it. Raises PeopleLeft, ListSubmitted, NotAllowed, PracticeList.DoesNotExist."""
    policies.check_can_submit(by)
    practice_list = PracticeList.objects.select_for_update(no_key=True).get(pk=list_id, practice_id=by.organisation_id)
    if practice_list.submitted_at is not None:
        raise ListSubmitted
    left = entries(by).filter(practice_list=practice_list, review_state=ReviewState.TO_REVIEW.value).count()
    if left:
        raise PeopleLeft(left)
    practice_list.submitted_at = at
    practice_list.submitted_by_id = by.user_id
    practice_list.save(update_fields=["submitted_at", "submitted_by"])
    return practice_list

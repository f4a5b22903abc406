"""Opens a practice's list again, as long as no letter or text has gone to anybody on it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from cohort.actions.sign_off import lock_list, open_again
from cohort.models import ListEntry, PracticeList
from cohort.policies import check_can_submit
from letters.actions.locks import lock_out_workers
from letters.models import Batch, Message
from letters.queries import gone_to
from letters.rules import OPEN, BatchState
from shielding.accounts.models import Membership


class LettersHaveGone(Exception):
    """Somebody on the list has been written to, so it stays signed off; `people` says how many."""

    def __init__(self, people: int) -> None:
        super().__init__(f"{people} people on the list have been written to")
        self.people = people


@transaction.atomic
def reopen_list(*, list_id: UUID, reason: str, by: Membership, at: datetime) -> PracticeList:
    """Takes the signing off of a list back, for a reason, and returns the list.

    At the moment it is opened no message to anybody on it is released or handed over: the batches
    that could release one are locked meanwhile. Raises LettersHaveGone, ReasonNeeded, NotSignedOff,
    NotAllowed, PracticeList.DoesNotExist.
    """
    check_can_submit(by)
    practice_list = lock_list(list_id, by)
    on_it = ListEntry.objects.filter(practice_list=practice_list, patient=OuterRef("patient"))
    open_messages = Message.objects.filter(Exists(on_it), batch=OuterRef("pk"), state__in=OPEN)
    batches = Batch.objects.exclude(state=BatchState.STOPPED).filter(Exists(open_messages)).order_by("pk")
    for batch_id in batches.values_list("pk", flat=True):
        lock_out_workers(batch_id)
    if people := gone_to(practice_list):
        raise LettersHaveGone(people)
    return open_again(list_id=list_id, reason=reason, by=by, at=at)

"""Questions to a colleague about one person, and their answers."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from cohort import policies
from cohort.models import Patient, ReviewQuery
from cohort.queries import questions as queries
from cohort.queries.worklists import entries
from shielding.accounts.models import Membership


class NotAColleague(Exception):
    """Whoever is asked cannot see the practice's lists."""


class AlreadyAnswered(Exception):
    """Somebody has answered since the page was made; `query` says who and what."""

    def __init__(self, query: ReviewQuery) -> None:
        super().__init__("The question has been answered")
        self.query = query


@transaction.atomic
def ask(*, patient_id: UUID, question: str, to: UUID | None, by: Membership, at: datetime) -> ReviewQuery:
    """Asks a colleague, or with `to` None anybody at the practice, about somebody, and returns the question.

    Their review stays as it is. The same question asked twice is one. Raises NotAColleague, NotAllowed,
    ListEntry.DoesNotExist.
    """
    policies.check_can_review(by)
    entry = entries(by).get(pk=patient_id)
    Patient.objects.select_for_update(no_key=True).get(pk=entry.pk)
    if to is not None and not queries.colleagues(by).filter(pk=to).exists():
        raise NotAColleague
    query, _ = ReviewQuery.objects.get_or_create(
        patient_id=entry.pk,
        practice_id=by.organisation_id,
        question=question,
        to_id=to,
        asked_by_id=by.user_id,
        answered_at=None,
        defaults={"asked_at": at},
    )
    return query


@transaction.atomic
def answer(*, query_id: UUID, answer: str, by: Membership, at: datetime) -> ReviewQuery:
    """Answers a question of the practice, whoever was asked, and returns it.

    Raises AlreadyAnswered, NotAllowed, ReviewQuery.DoesNotExist.
    """
    policies.check_can_review(by)
    query = queries.questions(by).select_for_update(of=("self",)).get(pk=query_id)
    if query.answered_at is not None:
        raise AlreadyAnswered(query)
    query.answer, query.answered_at, query.answered_by_id = answer, at, by.user_id
    query.save(update_fields=["answer", "answered_at", "answered_by"])
    return query

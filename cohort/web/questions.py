"""Questions to a colleague: asked on a person's page, answered there or from the list of all of them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort import policies
from cohort.actions import questions as actions
from cohort.queries import questions as queries
from cohort.queries import review as review_queries
from cohort.queries import worklists
from cohort.web.forms import AnswerForm, AskForm
from cohort.web.practice import chosen_of, found_or_404, list_url, member, person_url, query_of
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read


@never_cache
@require_GET
def questions(request: MemberRequest) -> HttpResponse:
    """The questions that this user may answer, waits for, or has had answered."""
    by = member(request)
    found = queries.my_questions(by)
    shown = [row.patient_id for rows in (found.to_me, found.to_others, found.answered) for row in rows]
    record_read(by=by, what="cohort:questions", patient_ids=shown, at=timezone.now())
    return render(request, "cohort/validation/questions.html", {"found": found, "can_answer": policies.can_review(by)})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Asks a colleague about somebody, then goes on to the next person; the person's review stays as it is."""
    by = policies.check_can_review(member(request))
    patient = found_or_404(review_queries.entry, by, list_id, patient_id).patient
    chosen = chosen_of(request, list_id)
    form = AskForm(queries.colleagues(by), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        to = UUID(form.cleaned_data["to"]) if form.cleaned_data["to"] else None
        # Whoever waits for an answer is not among those to review: who comes next is known before.
        following = worklists.place(by, list_id, patient_id, **chosen).next_id
        try:
            question = actions.ask(
                patient_id=patient_id, question=form.cleaned_data["question"], to=to, by=by, at=timezone.now()
            )
        except actions.NotAColleague:
            form.add_error("to", "They no longer work at your practice. Choose somebody else")
        else:
            whom = question.to or "anybody at the practice"
            messages.success(request, f"Saved: you asked {whom} about {patient.given_name} {patient.family_name}.")
            if following is None:
                return redirect(list_url(list_id))
            return redirect(person_url(list_id, following, query_of(chosen, back=patient_id)))
    record_read(by=by, what="cohort:ask", patient_ids=[patient_id], at=timezone.now())
    back = person_url(list_id, patient_id, query_of(chosen))
    return render(
        request,
        "cohort/validation/ask.html",
        {"form": form, "patient": patient, "back": back},
        status=400 if form.errors else 200,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: MemberRequest, query_id: UUID) -> HttpResponse:
    """Answers one question, and goes back to where it was read."""
    by = policies.check_can_review(member(request))
    question: Any = found_or_404(queries.questions(by).get, pk=query_id)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            actions.answer(query_id=query_id, answer=form.cleaned_data["answer"], by=by, at=timezone.now())
        except actions.AlreadyAnswered as error:
            row = error.query
            messages.warning(request, f"Not saved: {row.answered_by} has answered this already. See their answer.")
        except ObjectDoesNotExist as error:
            raise Http404 from error
        else:
            messages.success(request, f"Saved: {question.asked_by} can see your answer.")
        return redirect(person_url(question.patient.entry.practice_list_id, question.patient_id, ""))
    record_read(by=by, what="cohort:answer", patient_ids=[question.patient_id], at=timezone.now())
    return render(
        request,
        "cohort/validation/answer.html",
        {"form": form, "question": question},
        status=400 if form.errors else 200,
    )

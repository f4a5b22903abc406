"""The page on which a GP opens a list again. It is here, since it looks at what has been sent."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cohort import policies
from cohort.actions.sign_off import NotSignedOff
from cohort.queries.sign_off import standing
from cohort.web.practice import found_or_404
from letters.actions.lists import LettersHaveGone, reopen_list
from letters.queries import gone_to
from letters.web.forms import ReopenForm
from shielding.accounts.http import MemberRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reopen(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """Asks why a list is opened again, and opens it; says why not where people have been written to."""
    by = policies.check_can_submit(request.membership)
    found = found_or_404(standing, by, list_id)
    if not found.is_signed_off:
        messages.warning(request, "The list is open already.")
        return redirect("cohort:submit", list_id)
    gone = gone_to(found.practice_list)
    form = ReopenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = reopen_list(list_id=list_id, reason=form.cleaned_data["reason"], by=by, at=timezone.now())
        except LettersHaveGone as error:
            gone = error.people
        except NotSignedOff:
            messages.warning(request, "A colleague has opened the list already.")
            return redirect("cohort:submit", list_id)
        else:
            due = f"{opened.due_date.day} {opened.due_date:%B %Y}"
            messages.success(request, f"The list is open again. Sign it off by {due}.")
            return redirect("cohort:list", list_id)
    return render(
        request,
        "letters/reopen.html",
        {"standing": found, "practice_list": found.practice_list, "gone": gone, "form": form},
    )

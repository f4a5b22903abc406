"""The page that puts somebody on the list whom the search did not find."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cohort import policies
from cohort.actions import additions as actions
from cohort.queries import worklists as queries
from cohort.web.forms import AddPersonForm
from cohort.web.practice import person_url
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest) -> HttpResponse:
    """Puts somebody on the list whom the search did not find."""
    by = policies.check_can_review(request.membership)
    form = AddPersonForm(request.POST or None)
    listed = None
    if request.method == "POST" and form.is_valid():
        try:
            entry = actions.add_person(by=by, at=timezone.now(), **form.cleaned_data)
        except actions.AlreadyListed as error:
            listed = error.entry
            form.add_error("nhs_number", "This person is on your list already: see below")
            record_read(by=by, what="cohort:add", patient_ids=[listed.pk], at=timezone.now())
        except actions.PersonNotFound:
            form.add_error(
                None,
                "Nobody with this NHS number and date of birth is registered at your practice. "
                "Check both, and that they are registered with you",
            )
        except actions.PersonHasDied:
            form.add_error(None, "The death of this person has been registered, so they cannot be added")
        except actions.NoList:
            form.add_error(None, "Your practice has no list yet. You can add people after the first search")
        else:
            return redirect(person_url(entry.practice_list_id, entry.pk, urlencode({"decided": entry.pk})))
    return render(
        request,
        "cohort/validation/add.html",
        {"form": form, "listed": listed, "newest": queries.newest_list(by)},
    )

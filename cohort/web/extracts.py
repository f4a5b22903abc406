"""The operator's page of one extract: what became of its rows, rejected rows to download, mend and send again."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort.actions import mending
from cohort.models import Extract
from cohort.policies import check_can_run_search
from cohort.queries import extracts as extract_queries
from cohort.tasks import add_mended
from shielding.accounts.http import MemberRequest
from shielding.celery import wake


class MendedRowsForm(forms.Form):
    """Which file of rejected rows comes back, and the file."""

    name = forms.ChoiceField(label="Which rejected rows you have mended")
    file = forms.FileField(label="The mended file, saved as CSV UTF-8")

    def __init__(self, *args: object, names: list[str], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        choices = [(name, name) for name in names]
        self.fields["name"].choices = choices if len(names) == 1 else [("", "Choose a file"), *choices]  # type: ignore[attr-defined]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def extract(request: MemberRequest, extract_id: UUID) -> HttpResponse:
    """One extract: counts and reasons only, no person; takes mended rows back."""
    by = check_can_run_search(request.membership)
    found = get_object_or_404(Extract, pk=extract_id)
    today = timezone.localdate()
    newest = extract_queries.newest_extract_of(found.supplier)
    names = [path.name for path in extract_queries.rejected_files(found)]
    data = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = MendedRowsForm(*data, names=names)
    if request.method == "POST" and form.is_valid():
        try:
            job = mending.send_mended_rows(
                extract=found,
                name=form.cleaned_data["name"],
                content=form.cleaned_data["file"].chunks(),
                by=by,
                at=timezone.now(),
            )
        except mending.NotMendable as error:
            form.add_error(None, str(error))
        else:
            wake(add_mended, str(job.pk))
            messages.success(request, "The mended rows were sent. This page says what becomes of them")
            return redirect("cohort:extract", found.pk)
    return render(
        request,
        "cohort/operations/extract.html",
        {
            "extract": found,
            "age": (today - found.as_at).days,
            "limit_days": extract_queries.age_limit_of(found.supplier),
            "newest": newest,
            "names": names,
            "mendings": extract_queries.mendings(found),
            "form": form,
        },
    )


@never_cache
@require_GET
def rejected_rows(request: MemberRequest, extract_id: UUID, name: str) -> HttpResponseBase:
    """One file of rejected rows, as CSV. It holds personal data: the download is logged."""
    by = check_can_run_search(request.membership)
    found = get_object_or_404(Extract, pk=extract_id)
    try:
        lines = mending.read_rejected(extract=found, name=name, by=by, at=timezone.now())
    except FileNotFoundError as error:
        raise Http404 from error
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="rejected-{name}"'
    return answer

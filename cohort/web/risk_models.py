"""Pages of population risk models' lists: upload, see what would happen, load. Counts and lines: no person is shown."""

import time
from pathlib import Path
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from cohort.actions.risk_models import RiskListRefused, load_risk_list, preview_risk_list
from cohort.policies import check_can_run_search
from cohort.queries.risk_models import risk_lists
from shielding.accounts.http import MemberRequest

#: How long an uploaded list is kept for somebody to decide about it.
KEPT_SECONDS = 24 * 60 * 60
ERRORS_SHOWN = 100


class UploadRiskListForm(forms.Form):
    """A list and, of a list of scores, from which score on it counts."""

    file = forms.FileField(
        label="The model's list",
        help_text="A CSV file with the columns nhs_number, model, version, date, and flag or score.",
    )
    threshold = forms.FloatField(
        label="Lowest score that counts",
        help_text="Only for a list of scores.",
        required=False,
    )


class LoadRiskListForm(forms.Form):
    """What was looked at: the threshold of the preview."""

    threshold = forms.FloatField(required=False, widget=forms.HiddenInput)


@require_http_methods(["GET", "HEAD", "POST"])
def lists(request: MemberRequest) -> HttpResponse:
    """Every list that was loaded, and the form that uploads another."""
    check_can_run_search(request.membership)
    is_upload = request.method == "POST"
    form = UploadRiskListForm(request.POST, request.FILES) if is_upload else UploadRiskListForm()
    if is_upload and form.is_valid():
        kept = _keep(form.cleaned_data["file"])
        threshold = form.cleaned_data["threshold"]
        address = reverse("cohort:risk_list", args=[kept])
        return redirect(address if threshold is None else f"{address}?threshold={threshold}")
    return render(request, "cohort/operations/risk_lists.html", {"form": form, "lists": risk_lists()})


@require_http_methods(["GET", "HEAD", "POST"])
def one_list(request: MemberRequest, upload_id: UUID) -> HttpResponse:
    """What an uploaded list would do; a POST loads it."""
    by = check_can_run_search(request.membership)
    file = _folder() / f"{upload_id}.csv"
    if not file.is_file():
        raise Http404
    is_load = request.method == "POST"
    form = LoadRiskListForm(request.POST if is_load else request.GET)
    threshold = form.cleaned_data["threshold"] if form.is_valid() else None
    act = load_risk_list if is_load else preview_risk_list
    try:
        report = act(file=file, threshold=threshold, by=by, at=timezone.now())
    except RiskListRefused as refused:
        file.unlink(missing_ok=True)
        shown = {"why": str(refused), "errors": refused.errors[:ERRORS_SHOWN], "errors_in_all": len(refused.errors)}
        return render(request, "cohort/operations/risk_list_refused.html", shown, status=422)
    if is_load:
        file.unlink(missing_ok=True)
        name = f"{report.risk_list.model} {report.risk_list.version}"
        messages.success(request, f"{name} loaded" if report.is_new else f"{name} had been loaded before")
        return redirect("cohort:risk_lists")
    return render(
        request,
        "cohort/operations/risk_list.html",
        {
            "list": report.risk_list,
            "is_new": report.is_new,
            "counts": report.counts,
            "threshold": threshold,
            "errors": report.errors[:ERRORS_SHOWN],
            "errors_in_all": len(report.errors),
        },
    )


def _folder() -> Path:
    return Path(settings.RUN_FOLDER) / "risk-lists"


def _keep(upload: UploadedFile) -> UUID:
    """Keeps the file until it is loaded, refused or a day old, and returns the name it is kept under."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in folder.glob("*.csv"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    kept = uuid4()
    with (folder / f"{kept}.csv").open("wb") as stream:
        for chunk in upload.chunks():
            stream.write(chunk)
    return kept

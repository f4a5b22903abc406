"""Pages of a hospital unit: send a list, see what became of each row, say who is meant, take a request back."""

import hashlib
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort.actions.hospitals import lists as actions
from cohort.hospital_lists import COLUMNS, UnusableList, mended_csv, read_file, template_csv, template_xlsx
from cohort.long_lists import FAILURES, TRIES, WAITING_STATES, Failure, ListState, is_late
from cohort.matching import RowState
from cohort.models import HospitalList, HospitalRow
from cohort.policies import check_can_send_patients
from cohort.queries import hospitals as queries
from cohort.tasks import carry_on_list
from cohort.web.practice import found_or_404
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.audit.actions import record_download, record_read
from shielding.celery import wake

LISTS_PER_PAGE = 20
ROWS_PER_PAGE = 50
ERRORS_SHOWN = 100
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8"


class UploadForm(forms.Form):
    """A unit's list."""

    file = forms.FileField(
        label="Your list",
        help_text="An Excel workbook (.xlsx) or a CSV file, filled in as the template is.",
        error_messages={"required": "Choose a file", "empty": "The file is empty", "invalid": "Choose a file"},
    )


class WhoIsMeantForm(forms.Form):
    """Which of those offered is meant: their place among them, or none."""

    who = forms.ChoiceField(
        label="Who is your patient?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose who your patient is, or none of these"},
    )

    def __init__(self, *args: Any, people: list[str], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(str(place), f"Person {place + 1}: {name}") for place, name in enumerate(people)]
        self.fields["who"].choices = [*choices, ("none", "None of these")]  # type: ignore[attr-defined]


class WithdrawForm(forms.Form):
    """Why a request is taken back."""

    reason = forms.CharField(
        label="Why are you taking it back?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": "Enter why you are taking it back",
            "max_length": "Why you are taking it back must be 300 characters or fewer",
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lists(request: MemberRequest) -> HttpResponse:
    """The unit's lists with how each stands, and the form that uploads another."""
    by = _member(request)
    is_upload = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if is_upload else UploadForm()
    if is_upload and form.is_valid():
        upload = form.cleaned_data["file"]
        content = upload.read()
        now = timezone.now()
        try:
            read = read_file(upload.name, content, today=timezone.localdate(now))
        except UnusableList as refused:
            form.add_error("file", str(refused))
        else:
            made = actions.check_list(read=read, sha256=hashlib.sha256(content).hexdigest(), by=by, at=now)
            _wake_for(made)
            return redirect("cohort:hospital_list", made.pk)
    page = Paginator(queries.lists(by), LISTS_PER_PAGE).get_page(request.GET.get("page"))
    counts = queries.counts(by, list(page))
    return render(
        request,
        "cohort/hospitals/lists.html",
        {
            "form": form,
            "page": page,
            "rows": [(each, counts[each.pk]) for each in page],
            "to_decide": queries.to_decide(by).count(),
            "failed": queries.failed(by),
            "columns": COLUMNS,
        },
        status=422 if form.errors else 200,
    )


@require_GET
def template(request: MemberRequest, kind: str) -> HttpResponse:
    """An empty list to fill in: `xlsx` or `csv`."""
    _member(request)
    if kind not in {"xlsx", "csv"}:
        raise Http404
    content, of = (template_xlsx(), _XLSX) if kind == "xlsx" else (template_csv(), _CSV)
    return _file(content, of, f"hospital-list.{kind}")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_list(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """One list: what would become of each row before it is sent, and what did after.

    A POST sends it, discards it, or has one that failed tried again.
    """
    by = _member(request)
    now = timezone.now()
    if request.method == "POST":
        if request.POST.get("act") == "discard":
            try:
                found_or_404(actions.discard_list, list_id=list_id, by=by)
            except actions.InHand:
                messages.warning(request, "The list is being checked at this moment. Discard it once that is done")
                return redirect("cohort:hospital_list", list_id)
            messages.success(request, "The list is discarded. Nothing was changed")
            return redirect("cohort:hospital_lists")
        act = actions.try_again if request.POST.get("act") == "again" else actions.send_list
        sent: HospitalList = found_or_404(act, list_id=list_id, by=by, at=now)
        _wake_for(sent)
        if sent.state == ListState.SENT:
            messages.success(request, "The list is sent")
        return redirect("cohort:hospital_list", list_id)
    found: HospitalList = found_or_404(queries.one_list, by, list_id)
    counts = queries.counts(by, [found])[found.pk]
    has_rows = found.state in {ListState.CHECKED, ListState.SENT}
    tabs = [tab for tab in queries.TABS if tab != ("taken" if found.state == "CHECKED" else "matched")]
    filled = [tab for tab in tabs if counts.of(tab)]
    tab = request.GET.get("tab", "")
    tab = tab if tab in tabs else (filled or tabs)[0]
    rows = queries.rows_of(by, list_id, tab)
    page = Paginator(rows if has_rows else rows.none(), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    errors = queries.errors_of(found)
    record_read(by=by, what="cohort:hospital_list", patient_ids=queries.shown_ids(page), at=now)
    return render(
        request,
        "cohort/hospitals/list.html",
        {
            "list": found,
            "is_waiting": found.state in WAITING_STATES,
            "is_late": is_late(asked_at=found.sent_at or found.checked_at, at=now),
            "tries": TRIES,
            "has_rows": has_rows,
            "failure": FAILURES[Failure(found.failure)] if found.failure else "",
            "counts": counts,
            "tabs": tabs,
            "tab": tab,
            "page": page,
            "outcome": queries.outcome,
            "errors": errors[:ERRORS_SHOWN],
            "errors_in_all": len(errors),
        },
    )


@require_GET
def errors_csv(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """The rows of a list that could not be read, with what is wrong, to be mended and sent again."""
    by = _member(request)
    found = found_or_404(queries.one_list, by, list_id)
    record_download(by=by, what="cohort:hospital_errors", patient_ids=[], at=timezone.now())
    content = mended_csv(queries.rejected_of(found), queries.errors_of(found))
    return _file(content, _CSV, "rows-to-mend.csv")


@never_cache
@require_GET
def to_decide(request: MemberRequest) -> HttpResponse:
    """The rows of every list sent of which the unit must say who is meant."""
    by = _member(request)
    page = Paginator(queries.to_decide(by), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    record_read(by=by, what="cohort:hospital_to_decide", patient_ids=queries.shown_ids(page), at=timezone.now())
    return render(request, "cohort/hospitals/to_decide.html", {"page": page})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_row(request: MemberRequest, row_id: UUID) -> HttpResponse:
    """One request: who is meant, where that is doubtful; what became of it; and taking it back."""
    by = _member(request)
    found: HospitalRow = found_or_404(queries.row, by, row_id)
    if found.state == RowState.DOUBTFUL:
        return _doubtful(request, by, found)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.withdraw_row(row_id=row_id, reason=form.cleaned_data["reason"], by=by, at=timezone.now())
        except actions.AlreadyWithdrawn:
            messages.warning(request, "It had been taken back already, or was never counted")
        else:
            messages.success(request, "Your request is taken back")
        return redirect("cohort:hospital_row", row_id)
    others = list(queries.others_about(by, found))
    record_read(by=by, what="cohort:hospital_row", patient_ids=queries.shown_ids([found]), at=timezone.now())
    return render(
        request,
        "cohort/hospitals/row.html",
        {"row": found, "result": queries.outcome(found), "outcome": queries.outcome, "others": others, "form": form},
        status=422 if form.errors else 200,
    )


def _wake_for(made: HospitalList) -> None:
    if made.state in WAITING_STATES:
        wake(carry_on_list, str(made.pk))


def _doubtful(request: MemberRequest, by: Membership, found: HospitalRow) -> HttpResponse:
    now = timezone.now()
    offered = queries.candidates(found)
    names = [f"{known.given_name} {known.family_name}" if known else "known no more" for _, known in offered]
    form = WhoIsMeantForm(request.POST if request.method == "POST" else None, people=names)
    is_sent = found.hospital_list.state == ListState.SENT
    if request.method == "POST" and is_sent and form.is_valid():
        who = form.cleaned_data["who"]
        number = None if who == "none" else offered[int(who)][0]["nhs_number"]
        try:
            decided = actions.decide_row(row_id=found.pk, nhs_number=number, by=by, at=now)
        except actions.RowDecided:
            messages.warning(request, "A colleague has just decided this one. See what they said")
            return redirect("cohort:hospital_row", found.pk)
        messages.success(request, _said_of(decided))
        following = queries.to_decide(by).first()
        return redirect("cohort:hospital_row", following.pk) if following else redirect("cohort:hospital_to_decide")
    shown = queries.shown_ids([found], with_candidates=True)
    record_read(by=by, what="cohort:hospital_row", patient_ids=shown, at=now)
    return render(
        request,
        "cohort/hospitals/doubtful.html",
        {
            "row": found,
            "offered": offered,
            "form": form,
            "is_sent": is_sent,
            "left": queries.to_decide(by).count(),
        },
        status=422 if form.errors else 200,
    )


def _said_of(decided: HospitalRow) -> str:
    if decided.state == RowState.NOT_THEM:
        return "Saved: none of these. Nothing was changed. Check their details and send them again"
    if decided.state == RowState.DIED:
        return "Saved. Their death is registered, so they were not added"
    if decided.state == RowState.NOT_FOUND:
        return "They are known no more, so nothing was changed. Check their details and send them again"
    return "Saved. Your request counts from now on"


def _member(request: MemberRequest) -> Membership:
    return check_can_send_patients(request.membership)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer

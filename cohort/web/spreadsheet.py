"""Deciding a list in a spreadsheet: download it, send it back, see what it would do, and only then do it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort import policies
from cohort.actions.spreadsheet import NothingToDecide, decide_from_sheet
from cohort.decision_sheets import COLUMNS, KEPT_IN_SIGHT, NOTES, REASONS, WANTED, Decisions, mended, understand
from cohort.queries import spreadsheet as queries
from cohort.queries import worklists
from cohort.queries.spreadsheet import MostlyOthers, Outcome, WhoToDownload
from cohort.sent_sheets import keep, kept_at
from cohort.sheets import LARGEST_FILE, UnreadableSheet, csv_lines, read_sheet, write_xlsx
from cohort.spreadsheets import marked_lines
from cohort.web.practice import found_or_404, member
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_download, record_read

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
MOST_SHOWN = 100
MOSTLY_OTHERS = (
    "Most of the people in this file are not on your lists, so nothing of it was used, and it is not kept."
    " Check that it is your practice's file"
)


class SendForm(forms.Form):
    """A list that comes back."""

    file = forms.FileField(
        label="Your file",
        help_text="The Excel workbook (.xlsx) or CSV file that you downloaded from this list and filled in.",
        error_messages={"required": "Choose a file", "empty": "The file is empty", "invalid": "Choose a file"},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def spreadsheet(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """Where a list is downloaded and sent back. A POST reads the file and goes on to what it would do."""
    by = member(request)
    progress = found_or_404(worklists.progress_of, by, list_id)
    can_send = policies.can_review(by, is_submitted=progress.practice_list.submitted_at is not None)
    form = SendForm()
    if request.method == "POST":
        policies.check_can_review(by, is_submitted=progress.practice_list.submitted_at is not None)
        form = SendForm(request.POST, request.FILES)
        if form.is_valid():
            upload = form.cleaned_data["file"]
            if upload.size > LARGEST_FILE:
                form.add_error("file", "The file is larger than 10 MB. Take out what is not the list.")
            else:
                content = upload.read()
                try:
                    queries.plan(by, list_id, understand(read_sheet(content, WANTED)))
                except UnreadableSheet as error:
                    form.add_error("file", str(error))
                except MostlyOthers:
                    form.add_error("file", MOSTLY_OTHERS)
                else:
                    return redirect("cohort:spreadsheet_preview", list_id, keep(by, list_id, content))
    return render(
        request,
        "cohort/validation/spreadsheet.html",
        {"form": form, "progress": progress, "practice_list": progress.practice_list, "can_send": can_send},
        status=422 if form.errors else 200,
    )


@never_cache
@require_GET
def download(request: MemberRequest, list_id: UUID, who: str, kind: str) -> Any:
    """The people of a list as a file: `who` is one of WhoToDownload, `kind` is xlsx or csv."""
    by = member(request)
    progress = found_or_404(worklists.progress_of, by, list_id)
    if who not in set(WhoToDownload) or kind not in {"xlsx", "csv"}:
        raise Http404
    people = queries.people_to_download(by, list_id, WhoToDownload(who))
    record_download(by=by, what="cohort:spreadsheet_download", patient_ids=people, at=timezone.now())
    rows = queries.download_rows(by, people)
    name = f"list-{progress.practice_list.run.search_date}-{who}.{kind}"
    if kind == "csv":
        return _file(csv_lines(COLUMNS, rows), CSV, name)
    made = write_xlsx(COLUMNS, rows, title="List", notes=NOTES, keep=KEPT_IN_SIGHT)
    return _file(iter([made]), XLSX, name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: MemberRequest, list_id: UUID, upload_id: UUID) -> HttpResponse:
    """What a file would do, row by row where it does nothing; a POST does it, or throws the file away."""
    by = member(request)
    progress = found_or_404(worklists.progress_of, by, list_id)
    practice_list = progress.practice_list
    policies.check_can_review(by, is_submitted=practice_list.submitted_at is not None)
    file = kept_at(by, list_id, upload_id)
    if not file.is_file():
        messages.warning(request, "That file is no longer here. Send it again.")
        return redirect("cohort:spreadsheet", list_id)
    if request.method == "POST" and request.POST.get("do") == "discard":
        file.unlink(missing_ok=True)
        messages.success(request, "Nothing was changed, and the file is gone.")
        return redirect("cohort:spreadsheet", list_id)
    read = _read(file)
    try:
        if request.method == "POST":
            receipt = decide_from_sheet(list_id=list_id, read=read, by=by, at=timezone.now())
            file.unlink(missing_ok=True)
            return redirect("cohort:receipt", list_id, receipt.pk)
        planned = queries.plan(by, list_id, read)
    except MostlyOthers:
        file.unlink(missing_ok=True)
        messages.warning(request, MOSTLY_OTHERS)
        return redirect("cohort:spreadsheet", list_id)
    except NothingToDecide as nothing:
        planned = nothing.plan
    shown = {outcome: rows[:MOST_SHOWN] for outcome, rows in planned.rows.items() if outcome is not Outcome.LEAVE}
    record_read(
        by=by,
        what="cohort:spreadsheet_preview",
        patient_ids=[entry.pk for rows in shown.values() for _, entry in rows],
        at=timezone.now(),
    )
    return render(
        request,
        "cohort/validation/spreadsheet_preview.html",
        {
            "practice_list": practice_list,
            "plan": planned,
            "shown": shown,
            "problems": read.problems[:MOST_SHOWN],
            "most": MOST_SHOWN,
            "reasons": REASONS,
            "upload_id": upload_id,
        },
    )


@never_cache
@require_GET
def problems(request: MemberRequest, list_id: UUID, upload_id: UUID) -> Any:
    """The rows of a file that have problems, as CSV with what is wrong, to be mended and sent again."""
    by = member(request)
    found_or_404(worklists.progress_of, by, list_id)
    file = kept_at(by, list_id, upload_id)
    if not file.is_file():
        raise Http404
    read = _read(file)
    try:
        planned = queries.plan(by, list_id, read)
    except MostlyOthers as error:
        raise Http404 from error
    here = [entry.pk for rows in planned.rows.values() for row, entry in rows if row.number in read.rejected]
    record_download(by=by, what="cohort:spreadsheet_problems", patient_ids=here, at=timezone.now())
    columns, rows = mended(read)
    return _file(marked_lines([columns, *rows]), CSV, "rows-to-mend.csv")


def _read(file: Path) -> Decisions:
    return understand(read_sheet(file.read_bytes(), WANTED))


def _file(content: Iterator[bytes], of: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(content, content_type=of)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    patch_cache_control(response, private=True, no_store=True)
    return response

"""Pages of code lists: their codes and versions, and sending in a new version, read before anything is saved."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from cohort.actions.codelists import FileAlreadyUsed, publish_code_list
from cohort.codelists import Code, read_codes, shape_of
from cohort.models import CodeList
from cohort.policies import can_change_criteria, check_can_change_criteria, check_can_see_criteria
from cohort.queries import codelists as queries
from cohort.queries.criteria import open_drafts
from cohort.web.code_lists_forms import ReadingForm, UploadForm
from shielding.accounts.http import MemberRequest
from shielding.tables import Report, Table, WrongFile, read_table

CODES_PER_PAGE = 100
#: Differences and unusable lines shown on a page; more are counted.
MOST_SHOWN = 200
_KEPT_SECONDS = 24 * 3600


@require_GET
def code_lists(request: MemberRequest) -> HttpResponse:
    """Every code list, at its newest version."""
    check_can_see_criteria(request.membership)
    context = {"rows": queries.list_rows(), "can_change": can_change_criteria(request.membership)}
    return render(request, "cohort/criteria/code_lists.html", context)


@require_GET
def code_list(request: MemberRequest, slug: str) -> HttpResponse:
    """One list: its codes with search, versions, and who reads it; `?version=` is a number, else the newest."""
    check_can_see_criteria(request.membership)
    found = _found(slug)
    versions = queries.versions_of(found)
    if not versions:
        raise Http404("This list has no codes yet")
    version = next((each for each in versions if str(each.number) == request.GET.get("version")), versions[0])
    search = request.GET.get("search", "").strip()[:100]
    readers = queries.reading().get(found.pk, [])
    drafts = {draft.criterion_id: draft for draft in open_drafts()}
    return render(
        request,
        "cohort/criteria/code_list.html",
        {
            "code_list": found,
            "versions": versions,
            "version": version,
            "search": search,
            "page": Paginator(queries.codes_of(version, search=search), CODES_PER_PAGE).get_page(
                request.GET.get("page")
            ),
            "readers": [(each, drafts.get(each.criterion_id), _number_read(each, found)) for each in readers],
            "can_change": can_change_criteria(request.membership),
        },
    )


def _found(slug: str) -> CodeList:
    found = queries.list_named(slug)
    if found is None:
        raise Http404("There is no such list")
    return found


def _number_read(reader: Any, code_list: CodeList) -> int:
    return next(each.number for each in reader.code_lists.all() if each.code_list_id == code_list.pk)


@require_GET
def compare(request: MemberRequest, slug: str) -> HttpResponse:
    """What differs between two versions, `?from=` and `?to=` being their numbers: by default the newest two."""
    check_can_see_criteria(request.membership)
    found = _found(slug)
    versions = {str(each.number): each for each in queries.versions_of(found)}
    if len(versions) < 2:
        raise Http404("There is one version only")
    newest, previous = list(versions.values())[:2]
    before = versions.get(request.GET.get("from", ""), previous)
    after = versions.get(request.GET.get("to", ""), newest)
    return render(
        request,
        "cohort/criteria/code_list_compare.html",
        {
            "code_list": found,
            "before": before,
            "after": after,
            "numbers": sorted(each.number for each in versions.values()),
            "difference": queries.difference(queries.stored(before), queries.stored(after)),
            "most": MOST_SHOWN,
        },
    )


@dataclass(frozen=True)
class Upload:
    """A file that has been sent in and not yet become a version: kept for a day."""

    slug: str
    name: str
    file_name: str
    origin: str
    content: bytes


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: MemberRequest) -> HttpResponse:
    """The form that sends in a file; `?list=` chooses the list."""
    check_can_change_criteria(request.membership)
    lists = queries.every_list()
    form = UploadForm(
        request.POST or None, request.FILES or None, lists=lists, initial={"code_list": request.GET.get("list", "")}
    )
    if request.method == "POST" and form.is_valid():
        file, (slug, name) = form.cleaned_data["file"], form.chosen()
        upload_id = uuid4()
        kept = Upload(slug, name, Path(file.name).name[:80] or "file.csv", form.cleaned_data["origin"], file.read())
        cache.set(_key(upload_id), kept, _KEPT_SECONDS)
        return redirect("cohort:read_code_list", upload_id)
    return render(request, "cohort/criteria/upload.html", {"form": form})


def _key(upload_id: UUID) -> str:
    return f"code-list-upload-{upload_id}"


@require_http_methods(["GET", "HEAD", "POST"])
def read_upload(request: MemberRequest, upload_id: UUID) -> HttpResponse:
    """How the file is read: the codes, what differs, the lines of no use. Only POST saves it as a version."""
    by = check_can_change_criteria(request.membership)
    kept: Upload | None = cache.get(_key(upload_id))
    if kept is None:
        messages.warning(request, "That file is no longer here. Send it in again")
        return redirect("cohort:upload_code_list")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / kept.file_name
        path.write_bytes(kept.content)
        reading = _Reading(path, kept, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST" and reading.codes:
        try:
            version = publish_code_list(
                slug=kept.slug,
                name=kept.name,
                rows=reading.codes,
                origin=f"{kept.file_name}; {kept.origin}"[:300],
                sha256=reading.sha256,
                by=by,
                at=timezone.now(),
            )
        except FileAlreadyUsed as error:
            reading.problem = str(error)
        else:
            cache.delete(_key(upload_id))
            said = f"Saved as version {version.number}" if version else "Nothing to save: this is the newest version"
            messages.success(request, said)
            return redirect("cohort:code_list", kept.slug)
    return render(
        request,
        "cohort/criteria/read_upload.html",
        {
            "upload": kept,
            "reading": reading,
            "form": reading.form,
            "difference": _against_newest(kept.slug, reading.codes),
            "most": MOST_SHOWN,
            "page_has_errors": bool(reading.problem),
        },
    )


def _against_newest(slug: str, codes: list[Code]) -> queries.ListDifference | None:
    found = queries.list_named(slug)
    versions = queries.versions_of(found) if found else []
    return queries.difference(queries.stored(versions[0]), codes) if versions and codes else None


class _Reading:
    """A file as read with these choices: `codes`, the `report` of lines of no use, or the `problem` with the whole."""

    def __init__(self, path: Path, kept: Upload, choices: Any) -> None:
        self.codes: list[Code] = []
        self.problem = ""
        self.sha256 = ""
        self.report = Report(kept.file_name, "code list")
        self.form = ReadingForm(choices or None, columns=())
        try:
            table = read_table(path)
            self.sha256 = table.sha256
            self.form = ReadingForm(choices or None, columns=table.header)
            self._read(table, choices)
        except WrongFile as error:
            # What the command line asks for by option is asked for here by field.
            self.problem = (
                str(error)
                .split(" Name the ones to read with --")[0]
                .replace(": say it with --system.", ": choose it below.")
            )

    def _read(self, table: Table, choices: Any) -> None:
        self.form.is_valid()
        data = self.form.cleaned_data if self.form.is_bound else {}
        options = {name: data.get(name) or "" for name in ("system", "code_column", "term_column", "system_column")}
        shape = shape_of(table, **options)
        split_by = data.get("split_by") or ""
        lists = read_codes(table, shape, self.report, split_by=split_by)
        if not split_by:
            self.codes = lists.get("", [])
        else:
            self.form = ReadingForm(choices, columns=table.header, groups=sorted(lists))
            self.form.is_valid()
            group = self.form.cleaned_data.get("group") or ""
            if not group:
                raise WrongFile(f"The file has {len(lists)} lists. Choose below which rows are of this one.")
            self.codes = lists[group]
        if not self.codes:
            raise WrongFile("No line of the file has a code that can be used: see why below.")

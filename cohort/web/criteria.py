"""Pages of criteria: what is in force, each criterion's versions and example people, and the beginning of a draft."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort.actions import cases as case_actions
from cohort.actions import drafts as actions
from cohort.models import CodeList, CodeListVersion, Criterion
from cohort.policies import can_change_criteria, check_can_change_criteria, check_can_see_criteria
from cohort.queries import codelists as codelist_queries
from cohort.queries import criteria as queries
from cohort.queries import runs as run_queries
from cohort.queries.drafts import case_of, every_case, newest_lists, standing_cases
from cohort.search.assurance import run_cases
from cohort.search.checks import unused_lists
from cohort.search.codec import from_json
from cohort.search.differences import differences, lines_of
from cohort.web.cases_forms import CaseForm
from cohort.web.criteria_forms import NewCriterionForm, RetireCaseForm
from shielding.accounts.http import MemberRequest


@require_GET
def criteria(request: MemberRequest) -> HttpResponse:
    """Every criterion in force or being drafted, with what the last search found."""
    check_can_see_criteria(request.membership)
    standings = queries.standings()
    in_force = [from_json(each.version.definition) for each in standings if each.version]
    slugs = [each.slug for each in codelist_queries.every_list()]
    return render(
        request,
        "cohort/criteria/criteria.html",
        {
            "standings": standings,
            "run": queries.last_run(),
            "waiting": queries.waiting_for_sign_off(),
            "unused": unused_lists(slugs, in_force),
            "can_change": can_change_criteria(request.membership),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def new_criterion(request: MemberRequest) -> HttpResponse:
    """The form that begins a criterion that is not there yet."""
    by = check_can_change_criteria(request.membership)
    form = NewCriterionForm(request.POST or None, lists=newest_lists().values(), initial={"tier": "HIGH"})
    if request.method == "POST" and form.is_valid():
        try:
            draft = actions.begin_new_criterion(criterion=form.criterion(), by=by, at=timezone.now())
        except actions.CriterionExists as error:
            form.add_error("slug", str(error))
        except actions.DraftAlreadyOpen as error:
            form.add_error("slug", f"Somebody is drafting {error.draft.criterion} already: change that draft")
        else:
            return redirect("cohort:draft", draft.pk)
    return render(request, "cohort/criteria/new.html", {"form": form})


@require_GET
def criterion(request: MemberRequest, slug: str) -> HttpResponse:
    """One criterion: the version in force, its lists, example people, history, and what the last search found."""
    check_can_see_criteria(request.membership)
    found = get_object_or_404(Criterion, slug=slug)
    history = queries.history(found)
    version = history[0] if history else None
    draft = queries.open_drafts().filter(criterion=found).first()
    if version is None and draft is None:
        raise Http404("Nobody is drafting this criterion")
    run = queries.last_run()
    searched = run.criteria.filter(criterion=found).first() if run else None
    rows = standing_cases(found)
    results = (
        run_cases(
            from_json(version.definition), [case_of(row) for row in rows], queries.code_sets(version.code_lists.all())
        )
        if version
        else []
    )
    return render(
        request,
        "cohort/criteria/criterion.html",
        {
            "criterion": found,
            "version": version,
            "lines": lines_of(version.plain_english) if version else [],
            "history": history,
            "draft": draft,
            "cases": list(zip(rows, results, strict=True)) if version else [(row, None) for row in rows],
            "run": run,
            "searched": searched,
            "people": queries.people_found(run).get(found.pk),
            "attrition": run_queries.attrition(run, searched) if run and searched else [],
            "can_change": can_change_criteria(request.membership),
        },
    )


@require_GET
def compare(request: MemberRequest, slug: str) -> HttpResponse:
    """What differs between two versions, `?from=` and `?to=` being their numbers: by default the newest two."""
    check_can_see_criteria(request.membership)
    found = get_object_or_404(Criterion, slug=slug)
    history = {version.number: version for version in queries.history(found)}
    if len(history) < 2:
        raise Http404("There is one version only")
    numbers = sorted(history)
    before = history.get(_number(request.GET.get("from")), history[numbers[-2]])
    after = history.get(_number(request.GET.get("to")), history[numbers[-1]])
    return render(
        request,
        "cohort/criteria/compare.html",
        {
            "criterion": found,
            "before": before,
            "after": after,
            "numbers": numbers,
            "lines": differences(before.plain_english, after.plain_english),
            "lists": _changed_lists(before.code_lists.all(), after.code_lists.all()),
        },
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _changed_lists(
    before: Iterable[CodeListVersion], after: Iterable[CodeListVersion]
) -> list[tuple[CodeList, int | None, int | None]]:
    """Returns (list, version before, version after) of each code list that differs; None where it is not read."""
    old = {each.code_list: each.number for each in before}
    new = {each.code_list: each.number for each in after}
    every = sorted({*old, *new}, key=lambda each: each.name)
    return [(each, old.get(each), new.get(each)) for each in every if old.get(each) != new.get(each)]


@require_POST
def begin_draft(request: MemberRequest, slug: str) -> HttpResponse:
    """Begins a draft of a criterion in force, or leads to the one that is open."""
    by = check_can_change_criteria(request.membership)
    found = get_object_or_404(queries.published(), slug=slug)
    try:
        draft = actions.begin_draft(criterion=found, by=by, at=timezone.now())
    except actions.DraftAlreadyOpen as error:
        messages.info(request, f"{error.draft.begun_by} began a draft of this criterion already: here it is")
        draft = error.draft
    return redirect("cohort:draft", draft.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def add_case(request: MemberRequest, slug: str) -> HttpResponse:
    """The form that adds an example person, their records row by row; more rows on request, without saving."""
    by = check_can_change_criteria(request.membership)
    found = get_object_or_404(Criterion, slug=slug)
    draft = queries.open_drafts().filter(criterion=found).first()
    form = CaseForm(request.POST or None, criterion=found, draft=draft)
    if request.method == "POST" and "save" in request.POST and form.is_valid():
        try:
            case_actions.add_case(criterion=found, case=form.case(), by=by, at=timezone.now())
        except case_actions.CaseExists as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "Example person added")
            return redirect("cohort:draft", draft.pk) if draft else redirect("cohort:criterion", slug)
    return render(
        request, "cohort/criteria/case.html", {"form": form, "criterion": found, "draft": draft, "terms": form.terms}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def case(request: MemberRequest, slug: str, case_id: int) -> HttpResponse:
    """One example person, with the form that takes them out."""
    check_can_see_criteria(request.membership)
    row = get_object_or_404(every_case(slug), pk=case_id)
    form = RetireCaseForm(request.POST or None)
    if request.method == "POST":
        by = check_can_change_criteria(request.membership)
        if form.is_valid():
            try:
                case_actions.retire_case(case_id=row.pk, why=form.cleaned_data["why"], by=by, at=timezone.now())
            except case_actions.AlreadyRetired as error:
                messages.warning(request, str(error))
            else:
                messages.success(request, f"{row.name} is no longer used to test this criterion")
            return redirect("cohort:criterion", slug)
    may_change = can_change_criteria(request.membership)
    return render(request, "cohort/criteria/one_case.html", {"case": row, "form": form, "can_change": may_change})

"""Pages of one draft of a criterion: its rule as a tree, changed clause by clause, then signed off and published.

Every form carries `seen`, the number of the revision that was on the page, so that two clinicians
never overwrite each other unseen.
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort.actions import drafts as actions
from cohort.drafting import DraftState, SignOffOutcome
from cohort.policies import can_change_criteria, check_can_change_criteria, check_can_see_criteria
from cohort.policies import check_can_sign_off_criteria as check_can_sign_off
from cohort.queries import previews
from cohort.queries.drafts import Opened, every_draft, newest_lists, opened
from cohort.queries.extracts import newest_extracts
from cohort.search import criteria as model
from cohort.search import editing
from cohort.search.english import describe, named, plain_english
from cohort.search.terms import BadValue, Tier
from cohort.search.truth import with_paths
from cohort.web.clause_fields import ClauseForm, clause_json
from cohort.web.criteria_clauses import FORMS, KIND_WORDS
from cohort.web.criteria_forms import AboutForm, GroupForm, ProposeForm, SignOffForm
from shielding.accounts.http import MemberRequest

#: What may keep a change from being saved, in words that are fit to show.
REFUSALS = (
    actions.ChangedMeanwhile,
    actions.DraftEnded,
    actions.NothingChanged,
    actions.NotSignedOff,
    actions.OwnChange,
    actions.PublishedMeanwhile,
    actions.ListsDisagree,
    editing.CannotChange,
    model.UnknownCodeList,
)


def _open(draft_id: UUID) -> Opened:
    return opened(get_object_or_404(every_draft(), pk=draft_id), on=timezone.localdate())


def _seen(request: MemberRequest) -> int:
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@require_GET
def draft(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """The draft: its rule, and beside it what is wrong, the example people, the count, and what is to be done."""
    check_can_see_criteria(request.membership)
    return _draft_page(request, _open(draft_id))


def _draft_page(
    request: MemberRequest,
    found: Opened,
    *,
    propose_form: ProposeForm | None = None,
    sign_off_form: SignOffForm | None = None,
    blocked: list[str] | None = None,
) -> HttpResponse:
    user = request.user
    newest = newest_lists()
    is_open = found.draft.state in (DraftState.DRAFT, DraftState.PROPOSED)
    return render(
        request,
        "cohort/criteria/draft.html",
        {
            "found": found,
            "draft": found.draft,
            "rows": _rows(found.criterion.rule),
            "english": plain_english(found.criterion),
            "is_high": found.criterion.tier is Tier.HIGH,
            "newest": newest,
            "older_lists": [each for each in found.code_lists if newest[each.code_list.slug] != each],
            "count": previews.remembered(found),
            "has_extract": bool(newest_extracts()),
            "revisions": found.draft.revisions.select_related("changed_by").order_by("-number"),
            "propose_form": propose_form or ProposeForm(initial={"reason": found.draft.reason}),
            "sign_off_form": sign_off_form or SignOffForm(),
            "form": propose_form or sign_off_form,
            "blocked": blocked or [],
            "is_own": bool(user.pk and not found.may_be_signed_off_by(user.pk)),
            "can_change": is_open and can_change_criteria(request.membership),
        },
    )


class Row:
    """One clause of the tree as the page shows it."""

    def __init__(self, path: str, clause: model.Clause, siblings: tuple[model.Clause, ...]) -> None:
        self.path = path
        self.sentence = describe(clause)
        self.name = self.sentence.rstrip(":") if isinstance(clause, model.Group) else clause.label
        self.is_group = isinstance(clause, model.Group)
        self.depth = len(path.split(".")) if path else 0
        index = int(path.split(".")[-1]) if path else 0
        self.can_go_up = bool(path) and index > 0
        self.can_go_down = bool(path) and index < len(siblings) - 1
        self.can_go_in = self.can_go_up and isinstance(siblings[index - 1], model.Group)
        self.can_go_out = self.depth > 1


def _rows(rule: model.Clause) -> list[Row]:
    found = dict(with_paths(rule))
    rows = []
    for path, clause in found.items():
        parent = found.get(path.rpartition(".")[0]) if path else None
        rows.append(Row(path, clause, parent.clauses if isinstance(parent, model.Group) else ()))
    return rows


def _change(request: MemberRequest, draft_id: UUID, what: str, rule_of: Callable[[model.Clause], model.Clause]) -> None:
    """Saves the draft with another rule. Raises one of REFUSALS, or BadValue where the rule is not well formed."""
    found = _open(draft_id)
    actions.change_draft(
        draft_id=draft_id,
        seen=_seen(request),
        criterion=replace(found.criterion, rule=rule_of(found.criterion.rule)),
        what=what,
        by=check_can_change_criteria(request.membership),
        at=timezone.now(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_clause(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """The form of the clause at `?at=`."""
    check_can_change_criteria(request.membership)
    found = _open(draft_id)
    path = request.GET.get("at", "")
    try:
        clause = editing.clause_at(found.criterion.rule, path)
    except editing.CannotChange as error:
        raise Http404(str(error)) from None
    form: GroupForm | ClauseForm
    if isinstance(clause, model.Group):
        form = GroupForm(request.POST or None, group=clause, initial=GroupForm.read(clause))
        kind, title = "GROUP", "Change what must be true of a group"
    else:
        data = clause_json(clause)
        kind = data["clause"]
        form = FORMS[kind](request.POST or None, lists=newest_lists().values(), initial=FORMS[kind].read(data))
        title = KIND_WORDS[kind]
    if request.method == "POST" and form.is_valid():
        new = form.clause
        try:
            what = f"Changed “{named(new)}”"
            _change(request, draft_id, what, lambda rule: editing.replaced(rule, path, new))
        except (*REFUSALS, BadValue) as error:
            form.add_error(None, _in_words(error))
        else:
            return redirect("cohort:draft", draft_id)
    context = {"form": form, "found": found, "draft": found.draft, "kind": kind, "title": title, "verb": "Save"}
    return render(request, "cohort/criteria/clause.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_clause(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Asks which kind of clause to add to the group at `?at=`, then shows the form of that `?kind=`."""
    check_can_change_criteria(request.membership)
    found = _open(draft_id)
    path, kind = request.GET.get("at", ""), request.GET.get("kind", "")
    if kind not in FORMS:
        context = {"found": found, "draft": found.draft, "at": path, "kinds": KIND_WORDS}
        return render(request, "cohort/criteria/add_clause.html", context)
    form = FORMS[kind](request.POST or None, lists=newest_lists().values())
    if request.method == "POST" and form.is_valid():
        new = form.clause
        try:
            label = new.label if not isinstance(new, model.Group) else ""
            _change(request, draft_id, f"Added “{label}”", lambda rule: editing.added(rule, path, new))
        except (*REFUSALS, BadValue) as error:
            form.add_error(None, _in_words(error))
        else:
            return redirect("cohort:draft", draft_id)
    title = f"Add: {KIND_WORDS[kind][:1].lower()}{KIND_WORDS[kind][1:]}"
    context = {"form": form, "found": found, "draft": found.draft, "kind": kind, "title": title, "verb": "Add"}
    return render(request, "cohort/criteria/clause.html", context)


def _in_words(error: Exception) -> str:
    """Returns the error as a clinician is told it."""
    if isinstance(error, actions.ChangedMeanwhile):
        return f"{error} Open the draft again to see it, then make your change."
    return error.problem[:1].upper() + error.problem[1:] if isinstance(error, BadValue) else str(error)


@require_POST
def move_clause(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Moves, groups or removes the clause at `at`, as the button pressed (`do`) says."""
    check_can_change_criteria(request.membership)
    rule = _open(draft_id).criterion.rule
    path, do = request.POST.get("at", ""), request.POST.get("do", "")
    try:
        clause = editing.clause_at(rule, path)
        name = named(clause)
        if do == "REMOVE":
            _change(request, draft_id, f"Removed “{name}”", lambda rule: editing.removed(rule, path))
        elif do in editing.Direction.__members__:
            way = editing.Direction(do)
            _change(request, draft_id, f"Moved “{name}”", lambda rule: editing.moved(rule, path, way)[0])
        elif do in editing.GroupKind.__members__:
            kind = editing.GroupKind(do)
            _change(request, draft_id, f"Grouped “{name}”", lambda rule: editing.wrapped(rule, path, kind))
        else:
            raise Http404("No such change")
    except (*REFUSALS, BadValue) as error:
        messages.warning(request, f"Not changed. {_in_words(error)}")
    return redirect("cohort:draft", draft_id)


@require_http_methods(["GET", "HEAD", "POST"])
def about(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """The form of the title, tier, disease group and note."""
    by = check_can_change_criteria(request.membership)
    found = _open(draft_id)
    now = found.criterion
    first = {"title": now.title, "tier": now.tier.value, "disease_group": now.disease_group, "note": now.note}
    form = AboutForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        criterion = replace(now, **{**data, "tier": Tier(data["tier"]), "note": data["note"].strip()})
        words = {"title": "title", "tier": "tier", "disease_group": "disease group", "note": "note"}
        changed = [word for name, word in words.items() if getattr(criterion, name) != getattr(now, name)]
        what = f"Changed the {', '.join(changed)}"
        try:
            actions.change_draft(
                draft_id=draft_id, seen=_seen(request), criterion=criterion, what=what, by=by, at=timezone.now()
            )
        except REFUSALS as error:
            form.add_error(None, _in_words(error))
        else:
            return redirect("cohort:draft", draft_id)
    return render(request, "cohort/criteria/about.html", {"form": form, "found": found, "draft": found.draft})


@require_POST
def take_lists(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Has the draft read the newest version of the lists chosen."""
    by = check_can_change_criteria(request.membership)
    found = _open(draft_id)
    wanted = request.POST.getlist("list")
    try:
        actions.change_draft(
            draft_id=draft_id,
            seen=_seen(request),
            criterion=found.criterion,
            what=f"Took the newest version of {', '.join(wanted)}",
            by=by,
            at=timezone.now(),
            take_newest=wanted,
        )
    except REFUSALS as error:
        messages.warning(request, f"Not changed. {_in_words(error)}")
    return redirect("cohort:draft", draft_id)


@require_POST
def count(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Counts the draft in the whole extract and shows it."""
    check_can_see_criteria(request.membership)
    found = _open(draft_id)
    try:
        previews.count_people(found)
    except previews.NothingToCount as error:
        messages.warning(request, str(error))
    return redirect("cohort:draft", draft_id)


@require_GET
def counted(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """The whole count: by age, sex, area and clause, and who is gained and lost where."""
    check_can_see_criteria(request.membership)
    found = _open(draft_id)
    answer = previews.remembered(found)
    if answer is None:
        return redirect("cohort:draft", draft_id)
    return render(request, "cohort/criteria/count.html", {"found": found, "draft": found.draft, "count": answer})


@require_POST
def propose(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Asks a second clinician to sign the draft off."""
    by = check_can_change_criteria(request.membership)
    form = ProposeForm(request.POST)
    if not form.is_valid():
        return _draft_page(request, _open(draft_id), propose_form=form)
    reason = form.cleaned_data["reason"]
    try:
        actions.propose(draft_id=draft_id, seen=_seen(request), reason=reason, by=by, at=timezone.now())
    except actions.Blocked as error:
        return _draft_page(request, _open(draft_id), propose_form=form, blocked=error.obstacles)
    except REFUSALS as error:
        messages.warning(request, f"Not proposed. {_in_words(error)}")
    else:
        messages.success(request, "Proposed. Another clinician must now sign it off")
    return redirect("cohort:draft", draft_id)


@require_POST
def sign_off(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Keeps what the second clinician says."""
    by = check_can_sign_off(request.membership)
    form = SignOffForm(request.POST)
    if not form.is_valid():
        return _draft_page(request, _open(draft_id), sign_off_form=form)
    outcome, comment = SignOffOutcome(form.cleaned_data["outcome"]), form.cleaned_data["comment"]
    try:
        actions.sign_off(
            draft_id=draft_id, seen=_seen(request), outcome=outcome, comment=comment, by=by, at=timezone.now()
        )
    except actions.Blocked as error:
        return _draft_page(request, _open(draft_id), sign_off_form=form, blocked=error.obstacles)
    except REFUSALS as error:
        messages.warning(request, f"Not signed off. {_in_words(error)}")
    else:
        is_approved = outcome is SignOffOutcome.APPROVED
        said = "Signed off. It can be published now" if is_approved else "Sent back to be changed"
        messages.success(request, said)
    return redirect("cohort:draft", draft_id)


@require_POST
def publish(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Publishes the draft, and those that must go with it."""
    by = check_can_change_criteria(request.membership)
    try:
        versions = actions.publish(draft_id=draft_id, seen=_seen(request), by=by, at=timezone.now())
    except actions.Blocked as error:
        return _draft_page(request, _open(draft_id), blocked=error.obstacles)
    except REFUSALS as error:
        messages.warning(request, f"Not published. {_in_words(error)}")
        return redirect("cohort:draft", draft_id)
    names = " and ".join(f"{version.criterion.title} version {version.number}" for version in versions)
    messages.success(request, f"Published: {names}. The next search uses it")
    return redirect("cohort:criterion", versions[0].criterion.slug)


@require_POST
def discard(request: MemberRequest, draft_id: UUID) -> HttpResponse:
    """Ends the draft without publishing it."""
    by = check_can_change_criteria(request.membership)
    try:
        actions.discard(draft_id=draft_id, seen=_seen(request), by=by, at=timezone.now())
    except REFUSALS as error:
        messages.warning(request, f"Not discarded. {_in_words(error)}")
        return redirect("cohort:draft", draft_id)
    messages.success(request, "Draft discarded. What is in force stays as it is")
    return redirect("cohort:criteria")

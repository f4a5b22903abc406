"""Pages of the words of letters and texts: see, draft, translate, approve. Everybody shown on them is invented."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort.rules import Channel
from letters import contents, proofs, word_changes
from letters.actions import drafts as actions
from letters.models import Template, TemplateVersion, Translation
from letters.pdf import LetterNotMade, make_pdf
from letters.policies import can_approve_words, can_send, check_can_approve_words, check_can_draft_words
from letters.queries import templates as queries
from letters.rules import Format
from letters.web.template_forms import ApproveTranslationForm, TranslationForm, WordsForm
from shielding.accounts.http import MemberRequest


@never_cache
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """Every letter and text: what is in use, in which languages, and what waits for approval."""
    by = check_can_draft_words(request.membership)
    shown = {"standings": queries.standings(), "may_send": can_send(by)}
    return render(request, "letters/templates.html", shown)


@never_cache
@require_GET
def version(request: MemberRequest, version_id: int) -> HttpResponse:
    """One version: its words and what changed, what it looks like, its translations, and the buttons."""
    check_can_draft_words(request.membership)
    return _version_page(request, _version(version_id))


def _version_page(request: MemberRequest, found: TemplateVersion, problems: list[str] | None = None) -> HttpResponse:
    used = queries.in_use(found.template)
    before = used if used and used.pk != found.pk and found.is_open else found
    return render(
        request,
        "letters/template_version.html",
        {
            "version": found,
            "used": used,
            "is_overtaken": bool(found.is_open and used and used.number > found.number),
            "heading": word_changes.paragraphs(before.subject, found.subject),
            "words": word_changes.paragraphs(before.body, found.body),
            "compared_with": before if before.pk != found.pk else None,
            "translations": list(queries.translations_of(found)),
            "versions": list(queries.versions_of(found.template)),
            **_shown(request, found, problems),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: MemberRequest, slug: str) -> HttpResponse:
    """Drafts the next version of a letter or text, beginning with the words in use."""
    by = check_can_draft_words(request.membership)
    found = queries.template(slug)
    if found is None:
        raise Http404
    used = _start(request, found)
    initial = {"subject": used.subject, "body": used.body} if used else {}
    form = WordsForm(request.POST or None, template=found, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = _try(
            form,
            lambda: actions.draft_version(
                template=found,
                subject=form.cleaned_data.get("subject", ""),
                body=form.cleaned_data["body"],
                by=by,
                at=timezone.now(),
            ),
        )
        if made:
            messages.success(request, "Draft saved. Nobody gets it before a colleague has approved it")
            return redirect("letters:template_version", made.pk)
    return render(request, "letters/template_draft.html", {"template": found, "form": form, "used": used})


def _start(request: MemberRequest, template: Template) -> TemplateVersion | None:
    wanted = request.GET.get("from", "")
    named = queries.version(int(wanted)) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else None
    return named if named and named.template_id == template.pk else queries.in_use(template)


@require_POST
def approve(request: MemberRequest, version_id: int) -> HttpResponse:
    """Approves a draft; says what is wrong where its letters are not as they must be."""
    by = check_can_approve_words(request.membership)
    found = _version(version_id)
    try:
        return _done(
            request,
            found,
            lambda: actions.approve_version(version_id=found.pk, by=by, at=timezone.now()),
            "Approved. Batches planned from now on use it",
        )
    except actions.TemplateNotUsable as error:
        return _version_page(request, found, error.problems)


@require_POST
def withdraw(request: MemberRequest, version_id: int) -> HttpResponse:
    """Takes a draft back."""
    by = check_can_draft_words(request.membership)
    found = _version(version_id)
    return _done(
        request,
        found,
        lambda: actions.withdraw_version(version_id=found.pk, by=by, at=timezone.now()),
        "Draft withdrawn",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def translate(request: MemberRequest, version_id: int) -> HttpResponse:
    """Drafts a translation of a version."""
    by = check_can_draft_words(request.membership)
    found = _version(version_id)
    form = TranslationForm(request.POST or None, template=found.template)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made = _try(
            form,
            lambda: actions.draft_translation(
                version=found,
                language=given["language"],
                subject=given.get("subject", ""),
                body=given["body"],
                is_machine_made=given["is_machine_made"],
                by=by,
                at=timezone.now(),
            ),
        )
        if made:
            messages.success(request, "Translation saved. Nobody gets it before a colleague has approved it")
            return redirect("letters:translation", made.pk)
    return render(request, "letters/template_translate.html", {"version": found, "form": form})


@never_cache
@require_GET
def translation(request: MemberRequest, translation_id: int) -> HttpResponse:
    """One translation beside its English, what it looks like, and the buttons."""
    check_can_draft_words(request.membership)
    return _translation_page(request, _translation(translation_id), ApproveTranslationForm())


def _translation_page(
    request: MemberRequest, found: Translation, form: ApproveTranslationForm, problems: list[str] | None = None
) -> HttpResponse:
    return render(
        request,
        "letters/template_translation.html",
        {
            "translation": found,
            "version": found.version,
            "words": word_changes.paragraphs(found.body, found.body),
            "english": word_changes.paragraphs(found.version.body, found.version.body),
            "form": form,
            **_shown(request, found, problems),
        },
    )


@require_POST
def approve_translation(request: MemberRequest, translation_id: int) -> HttpResponse:
    """Approves a translation that somebody has read beside the English."""
    by = check_can_approve_words(request.membership)
    found = _translation(translation_id)
    form = ApproveTranslationForm(request.POST)
    if not form.is_valid():
        return _translation_page(request, found, form)
    checked_by = form.cleaned_data["checked_by"]
    try:
        return _done(
            request,
            found,
            lambda: actions.approve_translation(
                translation_id=found.pk, checked_by=checked_by, by=by, at=timezone.now()
            ),
            f"Approved. People whose language is {found.get_language_display()} get it",
        )
    except actions.TemplateNotUsable as error:
        return _translation_page(request, found, form, error.problems)


@require_POST
def withdraw_translation(request: MemberRequest, translation_id: int) -> HttpResponse:
    """Takes the draft of a translation back."""
    by = check_can_draft_words(request.membership)
    found = _translation(translation_id)
    return _done(
        request,
        found,
        lambda: actions.withdraw_translation(translation_id=found.pk, by=by, at=timezone.now()),
        "Draft withdrawn",
    )


@never_cache
@require_GET
def version_proof(request: MemberRequest, version_id: int) -> HttpResponse:
    """A version's letter to somebody invented, as the PDF that would be printed."""
    check_can_draft_words(request.membership)
    return _proof(request, _version(version_id))


@never_cache
@require_GET
def translation_proof(request: MemberRequest, translation_id: int) -> HttpResponse:
    """A translation's letter to somebody invented, as the PDF that would be printed."""
    check_can_draft_words(request.membership)
    return _proof(request, _translation(translation_id))


def _proof(request: MemberRequest, words: TemplateVersion | Translation) -> HttpResponse:
    template = _template(words)
    if template.channel != Channel.LETTER:
        raise Http404
    proof = proofs.proof_of(request.GET.get("person", ""))
    format_ = Format.LARGE_PRINT if request.GET.get("format") == Format.LARGE_PRINT else Format.STANDARD
    try:
        pdf = make_pdf(proofs.letter_to(words, proof, format_), made_at=timezone.now())
    except LetterNotMade as error:
        return HttpResponse(str(error), content_type="text/plain", status=422)
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{template.slug}-{proof.slug}.pdf"'
    return answer


def _shown(request: MemberRequest, words: TemplateVersion | Translation, problems: list[str] | None) -> dict[str, Any]:
    """Returns what the pages of a version and of a translation share: what it looks like, and who may do what."""
    is_letter = _template(words).channel == Channel.LETTER
    is_own = words.drafted_by_id is not None and words.drafted_by_id == request.user.pk
    return {
        "is_letter": is_letter,
        "direction": contents.read_direction(words),
        "proofs": proofs.PROOFS,
        "texts": [] if is_letter else [(proof, proofs.text_to(words, proof)) for proof in proofs.PROOFS],
        "is_own": is_own,
        "may_approve": can_approve_words(request.membership) and not is_own,
        "problems": problems or [],
        "page_has_errors": bool(problems),
    }


def _done(
    request: MemberRequest, words: TemplateVersion | Translation, step: Callable[[], Any], said: str
) -> HttpResponse:
    """Does what was asked of some words, and says so or why it cannot be. Raises TemplateNotUsable."""
    try:
        step()
    except actions.TemplateNotUsable:
        raise
    except actions.TemplateError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, said)
    return redirect("letters:translation" if isinstance(words, Translation) else "letters:template_version", words.pk)


def _template(words: TemplateVersion | Translation) -> Template:
    return words.version.template if isinstance(words, Translation) else words.template


def _try(form: WordsForm, save: Callable[[], Any]) -> Any:
    """Returns what was saved, or None with what is wrong put beside the words."""
    try:
        return save()
    except actions.TemplateNotUsable as error:
        for problem in error.problems:
            form.add_error("body", problem)
    except actions.TemplateError as error:
        form.add_error("body", str(error))
    return None


def _version(pk: int) -> TemplateVersion:
    found = queries.version(pk)
    if found is None:
        raise Http404
    return found


def _translation(pk: int) -> Translation:
    found = queries.translation(pk)
    if found is None:
        raise Http404
    return found

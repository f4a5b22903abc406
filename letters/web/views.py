"""Pages of the central operator: batches of letters and texts. Counts and references, save where a letter is read."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort.rules import Channel
from letters import contents, queries
from letters.actions import batches as actions
from letters.models import Batch, Campaign, PartialStop, TemplateVersion
from letters.pdf import make_pdf
from letters.policies import check_can_send
from letters.reading import read_letter
from letters.rules import BatchState
from letters.tasks import work_outbox
from letters.web.forms import STATE_WORDS, MessagesForm, PlanForm, StopForm, StopPartForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.audit.actions import record_read
from shielding.celery import wake

BATCHES_PER_PAGE = 20
FILES_PER_PAGE = 20
MESSAGES_PER_PAGE = 50


@never_cache
@require_GET
def batches(request: MemberRequest) -> HttpResponse:
    """Every batch, the newest first, with how far it is."""
    _operator(request)
    page = Paginator(queries.batches(), BATCHES_PER_PAGE).get_page(request.GET.get("page"))
    progress = queries.progress([batch.pk for batch in page])
    return render(
        request,
        "letters/batches.html",
        {
            "page": page,
            "rows": [(batch, progress[batch.pk]) for batch in page],
            "in_doubt": queries.in_doubt(timezone.now()).count(),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: MemberRequest) -> HttpResponse:
    """Chooses campaign and channel (GET), shows who would be queued, and queues them (POST)."""
    by = _operator(request)
    campaigns = {campaign.slug: campaign for campaign in queries.campaigns()}
    chosen = request.POST or request.GET or None
    form = PlanForm(chosen, campaigns=campaigns.values())
    if not form.is_valid():
        return render(request, "letters/plan.html", {"form": form, "campaigns": campaigns})
    campaign, (channel, fallback) = campaigns[form.cleaned_data["campaign"]], form.channels
    if request.method == "POST":
        try:
            made = actions.plan_batch(campaign=campaign, channel=channel, fallback=fallback, by=by, at=timezone.now())
        except actions.BatchError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Batch queued. Nothing goes before somebody else approves it and it is released")
            return redirect("letters:batch", made.pk)
    return render(request, "letters/plan_preview.html", {"form": form, **_plan_preview(campaign, channel, fallback)})


@never_cache
@require_http_methods(["GET", "HEAD"])
def batch(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """One batch: how far it is, who is held by reason, its files, and the buttons that release and stop it."""
    by = _operator(request)
    return _batch_page(request, by, _found(batch_id))


@require_POST
def approve(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Lets the batch be released; its planner cannot."""
    return _move(
        request,
        batch_id,
        lambda by: actions.approve_batch(batch_id=batch_id, by=by, at=timezone.now()),
        "Batch approved. Nothing goes before it is released",
    )


@require_POST
def release(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Lets workers make and send the batch."""
    return _move(
        request,
        batch_id,
        lambda by: actions.release_batch(batch_id=batch_id, by=by, at=timezone.now()),
        "Batch released",
    )


@require_POST
def pause(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Lets nothing more of the batch go until it is resumed."""
    return _move(
        request,
        batch_id,
        lambda by: actions.pause_batch(batch_id=batch_id, by=by),
        "Batch paused. Nothing more of it is handed over until it is resumed",
    )


@require_POST
def resume(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Lets a paused batch go on."""
    return _move(request, batch_id, lambda by: actions.resume_batch(batch_id=batch_id, by=by), "Batch resumed")


@require_POST
def try_again(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Puts what failed back in the queue."""
    return _move(
        request,
        batch_id,
        lambda by: actions.retry_failed(batch_id=batch_id, by=by, at=timezone.now()),
        lambda count: f"{count} put back in the queue",
    )


@require_POST
def stop(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Stops everything in the batch that has not been handed over."""
    by = _operator(request)
    found = _found(batch_id)
    form = StopForm(request.POST)
    if not form.is_valid():
        return _batch_page(request, by, found, form)
    reason = form.cleaned_data["reason"]
    return _done(
        request,
        batch_id,
        lambda: actions.stop_batch(batch_id=batch_id, reason=reason, by=by, at=timezone.now()),
        "Batch stopped. Nothing more of it will be handed over",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_part(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Asks whose part of the batch is to be stopped (GET), and stops it (POST)."""
    by = _operator(request)
    found = _found(batch_id)
    form = StopPartForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            stopped = actions.stop_part(
                batch_id=batch_id,
                kind=PartialStop.Kind(asked["kind"]),
                value=asked["value"],
                reason=asked["reason"],
                by=by,
                at=timezone.now(),
            )
        except actions.BatchError as error:
            form.add_error(None, str(error))
        else:
            wake(work_outbox)
            messages.success(request, _said_of(stopped))
            return redirect("letters:batch", batch_id)
    return render(request, "letters/batch_stop_part.html", {"batch": found, "form": form})


def _said_of(stopped: actions.Stopped) -> str:
    said = f"{stopped.part.words}: {stopped.part.stopped} stopped, {stopped.gone} had been handed over already"
    if stopped.in_hand:
        return f"{said}. {stopped.in_hand} are being handed over: what the supplier does not have yet is stopped too"
    return said


@never_cache
@require_GET
def batch_messages(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """The messages of a batch by reference, practice and state: nobody's name."""
    _operator(request)
    found = _found(batch_id)
    form = MessagesForm(request.GET)
    rows = []
    if form.is_valid():
        asked = form.cleaned_data
        rows = queries.messages(
            found, state=asked["state"], practice=asked["practice"], after=asked["after"], limit=MESSAGES_PER_PAGE + 1
        )
    shown, more = rows[:MESSAGES_PER_PAGE], rows[MESSAGES_PER_PAGE:]
    next_page = request.GET.copy()
    if more:
        next_page["after"] = str(shown[-1].pk)
    return render(
        request,
        "letters/batch_messages.html",
        {
            "batch": found,
            "form": form,
            "rows": shown,
            "next_page": next_page.urlencode() if more else "",
            "is_first": not form.data.get("after"),
            "state_words": STATE_WORDS,
            "hold_words": queries.HOLD_WORDS,
        },
    )


@never_cache
@require_GET
def letter(request: MemberRequest, batch_id: UUID, message_id: UUID) -> HttpResponse:
    """One letter's PDF as it was handed over. Reading it is logged."""
    by = _operator(request)
    message = queries.message(_found(batch_id), message_id)
    pdf = read_letter(message) if message else None
    if message is None or pdf is None:
        raise Http404
    record_read(by=by, what="letters:letter", patient_ids=[message.patient_id], at=timezone.now())
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{message.reference}.pdf"'
    return answer


@require_GET
def preview(request: MemberRequest, version_id: int) -> HttpResponse:
    """A version of a letter as the PDF that is printed, or of a text as it is read, to an invented person."""
    _operator(request)
    version = queries.template_version(version_id)
    if version is None:
        raise Http404
    now = timezone.now()
    if version.template.channel == Channel.SMS:
        return render(request, "letters/text_preview.html", {"version": version, "text": _invented_text(version)})
    content = contents.letter(version, contents.invented_patient(), contents.INVENTED_ADDRESS, dated=now)
    answer = HttpResponse(make_pdf(content, made_at=now), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{version.template.slug}-{version.number}.pdf"'
    return answer


def _move(
    request: MemberRequest,
    batch_id: UUID,
    move: Callable[[Membership], Any],
    said: str | Callable[[Any], str],
) -> HttpResponse:
    by = _operator(request)
    _found(batch_id)
    return _done(request, batch_id, lambda: move(by), said)


def _done(
    request: MemberRequest, batch_id: UUID, move: Callable[[], Any], said: str | Callable[[Any], str]
) -> HttpResponse:
    """Does what was asked of a batch, wakes a worker, and says what was done or why it cannot be."""
    try:
        done = move()
    except actions.BatchError as error:
        messages.warning(request, str(error))
    else:
        wake(work_outbox)
        messages.success(request, said if isinstance(said, str) else said(done))
    return redirect("letters:batch", batch_id)


def _batch_page(request: MemberRequest, by: Membership, found: Batch, form: StopForm | None = None) -> HttpResponse:
    files = Paginator(queries.hand_overs(found), FILES_PER_PAGE).get_page(request.GET.get("page"))
    progress = queries.progress([found.pk])[found.pk]
    return render(
        request,
        "letters/batch.html",
        {
            "batch": found,
            "progress": progress,
            "outlook": queries.outlook_of(found, progress, timezone.now()),
            "is_planner": found.planned_by_id == by.user_id,
            "may_stop": may_stop(found, progress),
            "partial_stops": queries.partial_stops(found),
            "hold_words": queries.HOLD_WORDS,
            "files": files,
            "form": form or StopForm(),
        },
    )


def may_stop(found: Batch, progress: queries.Progress) -> bool:
    """Returns whether there is anything left in a batch that can be stopped."""
    is_left = progress.waiting or progress.in_doubt or progress.held or progress.failed or progress.instead
    return found.state != BatchState.STOPPED and bool(is_left)


def _plan_preview(campaign: Campaign, channel: Channel, fallback: Channel | None) -> dict[str, Any]:
    versions = {each: queries.latest_template(campaign, each) for each in (channel, fallback) if each}
    return {
        "campaign": campaign,
        "channel": channel,
        "fallback": fallback,
        "preview": queries.preview(campaign, channel, timezone.localdate(), fallback=fallback),
        "versions": versions,
        "has_words": all(versions.values()),
        "texts": {
            version.pk: _invented_text(version) for each, version in versions.items() if version and each is Channel.SMS
        },
        "hold_words": queries.HOLD_WORDS,
    }


def _invented_text(version: TemplateVersion) -> contents.Text:
    return contents.text(version, contents.invented_patient(), dated=timezone.now())


def _operator(request: MemberRequest) -> Membership:
    return check_can_send(request.membership)


def _found(batch_id: UUID) -> Batch:
    found = queries.batch(batch_id)
    if found is None:
        raise Http404
    return found

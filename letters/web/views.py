"""Pages of the central operator: batches of letters and texts. Counts only: no page here shows a person."""

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
from letters.models import Batch, Campaign, TemplateVersion
from letters.pdf import make_pdf
from letters.policies import check_can_send
from letters.tasks import work_outbox
from letters.web.forms import PlanForm, StopForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.celery import wake

BATCHES_PER_PAGE = 20
FILES_PER_PAGE = 20


@never_cache
@require_GET
def batches(request: MemberRequest) -> HttpResponse:
    """Every batch, the newest first, with how far it is."""
    _operator(request)
    page = Paginator(queries.batches(), BATCHES_PER_PAGE).get_page(request.GET.get("page"))
    progress = queries.progress([batch.pk for batch in page])
    return render(
        request, "letters/batches.html", {"page": page, "rows": [(batch, progress[batch.pk]) for batch in page]}
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
    campaign, channel = campaigns[form.cleaned_data["campaign"]], Channel(form.cleaned_data["channel"])
    if request.method == "POST":
        try:
            made = actions.plan_batch(campaign=campaign, channel=channel, by=by, at=timezone.now())
        except actions.BatchError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Batch queued. Nothing goes before you release it")
            return redirect("letters:batch", made.pk)
    return render(request, "letters/plan_preview.html", {"form": form, **_plan_preview(campaign, channel)})


@never_cache
@require_http_methods(["GET", "HEAD"])
def batch(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """One batch: how far it is, who is held by reason, its files, and the buttons that release and stop it."""
    _operator(request)
    return _batch_page(request, _found(batch_id), StopForm())


@require_POST
def approve(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Lets the batch be released; its planner cannot."""
    by = _operator(request)
    _found(batch_id)
    try:
        actions.approve_batch(batch_id=batch_id, by=by, at=timezone.now())
    except actions.BatchError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "Batch approved. Nothing goes before it is released")
    return redirect("letters:batch", batch_id)


@require_POST
def release(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Lets workers make and send the batch."""
    by = _operator(request)
    _found(batch_id)
    try:
        actions.release_batch(batch_id=batch_id, by=by, at=timezone.now())
    except actions.BatchError as error:
        messages.warning(request, str(error))
    else:
        wake(work_outbox)
        messages.success(request, "Batch released")
    return redirect("letters:batch", batch_id)


@require_POST
def stop(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Stops everything in the batch that has not been handed over."""
    by = _operator(request)
    found = _found(batch_id)
    form = StopForm(request.POST)
    if not form.is_valid():
        return _batch_page(request, found, form)
    try:
        actions.stop_batch(batch_id=batch_id, reason=form.cleaned_data["reason"], by=by, at=timezone.now())
    except actions.BatchError as error:
        messages.warning(request, str(error))
    else:
        wake(work_outbox)
        messages.success(request, "Batch stopped. Nothing more of it will be handed over")
    return redirect("letters:batch", batch_id)


@require_POST
def try_again(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Puts what failed back in the queue."""
    by = _operator(request)
    _found(batch_id)
    try:
        count = actions.retry_failed(batch_id=batch_id, by=by, at=timezone.now())
    except actions.BatchError as error:
        messages.warning(request, str(error))
    else:
        wake(work_outbox)
        messages.success(request, f"{count} put back in the queue")
    return redirect("letters:batch", batch_id)


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


def _batch_page(request: MemberRequest, found: Batch, form: StopForm) -> HttpResponse:
    files = Paginator(queries.hand_overs(found), FILES_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "letters/batch.html",
        {
            "batch": found,
            "progress": queries.progress([found.pk])[found.pk],
            "hold_words": queries.HOLD_WORDS,
            "files": files,
            "form": form,
        },
    )


def _plan_preview(campaign: Campaign, channel: Channel) -> dict[str, Any]:
    version = queries.latest_template(campaign, channel)
    return {
        "campaign": campaign,
        "channel": channel,
        "preview": queries.preview(campaign, channel, timezone.localdate()),
        "version": version,
        "text": _invented_text(version) if version and channel is Channel.SMS else None,
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

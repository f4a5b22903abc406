"""Pages of the letters that hospital units write: the unit's own, and the copies that practices see."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort.policies import check_can_see_lists
from cohort.rules import Channel
from letters import queries
from letters.actions import batches as actions
from letters.actions.suppliers import supplier_of
from letters.models import Message
from letters.policies import check_can_write
from letters.tasks import work_outbox
from letters.transports import WholeHandOvers, transport_of
from letters.transports.errors import TransportError
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read
from shielding.celery import wake


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unit_letters(request: MemberRequest) -> HttpResponse:
    """Whom of its own patients the unit would write to, what it has written, and the button. Counts only."""
    by = check_can_write(request.membership)
    now = timezone.now()
    if request.method == "POST":
        try:
            actions.write_to_own_patients(by=by, at=now)
        except actions.BatchError as error:
            messages.warning(request, str(error))
        else:
            wake(work_outbox)
            messages.success(request, "The letters are on their way to the printer")
        return redirect("letters:unit_letters")
    campaign = queries.hospital_campaign()
    batches = list(queries.batches_of(by.organisation))
    progress = queries.progress([batch.pk for batch in batches])
    return render(
        request,
        "letters/unit_letters.html",
        {
            "preview": queries.preview(campaign, Channel.LETTER, queries.uk_date(now), by.organisation)
            if campaign
            else None,
            "rows": [(batch, progress[batch.pk]) for batch in batches],
            "hold_words": queries.HOLD_WORDS,
        },
    )


@never_cache
@require_GET
def copies(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """The letters that hospital units wrote to one of the practice's people."""
    by = check_can_see_lists(request.membership)
    found = queries.copies(by, patient_id)
    record_read(by=by, what="letters:copies", patient_ids=[patient_id] if found else [], at=timezone.now())
    return render(request, "letters/copies.html", {"copies": found, "patient_id": patient_id})


@never_cache
@require_GET
def copy(request: MemberRequest, patient_id: UUID, message_id: UUID) -> HttpResponse:
    """The copy for the practice: the very pages that were handed over to the printer."""
    by = check_can_see_lists(request.membership)
    message = next((each for each in queries.copies(by, patient_id) if each.pk == message_id), None)
    try:
        pdf = as_handed_over(message) if message else None
    except TransportError:
        messages.warning(request, "The printer, which keeps the letter, does not answer. Try again later")
        return redirect("letters:copies", patient_id)
    if pdf is None:
        raise Http404
    record_read(by=by, what="letters:copy", patient_ids=[patient_id], at=timezone.now())
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="copy-of-a-hospital-letter.pdf"'
    return answer


def as_handed_over(message: Message) -> bytes | None:
    """Returns the pages that its supplier was given, or None where it has it no more. Raises TransportError."""
    transport = transport_of(supplier_of(message.supplier_id, Channel.LETTER))
    if message.hand_over_key is None or not isinstance(transport, WholeHandOvers):
        return None
    return transport.read_letter(message.reference, key=message.hand_over_key, batch_id=message.batch_id)

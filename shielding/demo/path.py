"""The whole path on the invented country, by the same actions that people's pages call.

Each step does its part once: run again, it finds its work done. Work that a worker does is waited
for in PostgreSQL, never done here.
"""

import random
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from cohort.actions import decisions, sign_off
from cohort.actions.contact_problems import number_undeliverable
from cohort.actions.criteria import load_criteria_set
from cohort.actions.extracts import load_extract
from cohort.actions.runs import request_search
from cohort.models import Extract, ListEntry, Patient, PracticeList, SearchRun
from cohort.queries.review import version
from cohort.queries.runs import active_run_ids
from cohort.rules import Channel, RemovalReason, ReviewState, RunState
from cohort.tasks import carry_out_search
from coordinators import actions as coordination
from coordinators.models import Assignment, CheckIn, Referral
from coordinators.queries import waiting_for_a_coordinator
from coordinators.rules import CheckInOutcome, NeedKind, ReferralState
from coordinators.tasks import assign_coordinators
from letters.actions.batches import approve_batch, plan_batch, release_batch
from letters.actions.receipts import record
from letters.actions.suppliers import taking
from letters.actions.templates import load_templates
from letters.models import Batch, Campaign, Message
from letters.rules import OPEN, DeliveryStatus
from letters.tasks import work_outbox
from letters.transports import Event
from shielding.accounts.actions import make_user
from shielding.accounts.models import Membership, Organisation, Role, User
from shielding.celery import wake
from shielding.demo.country import Country

PASSWORD = "shielding-demo-2020"  # noqa: S105 - invented people on one machine
DOMAIN = "shielding.example"
WAIT_SECONDS = 600
#: One practice in this many is half way through its list.
LATE_PRACTICES = 4
#: How many people have been called.
CALLS = 200
#: Shares of the people whose letter comes back, and whose mobile is nobody's.
RETURNED = 0.04
DEAD_NUMBERS = 0.04


class DidNotFinishError(RuntimeError):
    """A worker did not finish in time; the message says what was waited for."""


def load_reference_data(country: Country) -> None:
    """Loads the invented organisations, authorities and postcodes, and the shipped criteria and templates."""

    def load(kind: str, *names: str) -> None:
        files = [str(country.reference / name) for name in names]
        call_command("load_reference", kind, *files, stdout=StringIO())

    load("local-authorities", "local_authorities.csv", "la_to_lrf.csv", "lrf.csv", "contacts.csv")
    load("organisations", "epraccur.csv", "practice_map.csv")
    load("postcodes", "postcodes.csv")
    now = timezone.now()
    load_criteria_set(at=now)
    load_templates(at=now)


def make_sign_ins(country: Country) -> dict[str, str]:
    """Makes one user for every role, and a GP and coordinator for every practice; returns role -> e-mail.

    Those shown are at the first practice of the cast and at its council.
    """
    centre, _ = Organisation.objects.get_or_create(
        code="CENTRE", defaults={"name": "National shielding team", "kind": Organisation.Kind.CENTRE}
    )
    unit, _ = Organisation.objects.get_or_create(
        code="UNIT1",
        defaults={
            "name": "Northmoor Renal Unit",
            "kind": Organisation.Kind.HOSPITAL,
            "unit_kind": Organisation.UnitKind.DIALYSIS,
        },
    )
    amina = country.cast["Amina"]
    practice = Organisation.objects.get(code=amina.practice_code)
    council = Organisation.objects.get(code=amina.council_code)
    for other in Organisation.objects.filter(kind=Organisation.Kind.PRACTICE, closed_date=None).exclude(pk=practice.pk):
        _user(f"gp.{other.code.lower()}", f"Dr {other.code}", other, Role.GP)
        _user(f"coordinator.{other.code.lower()}", f"Coordinator {other.code}", other, Role.COORDINATOR)
    for other in Organisation.objects.filter(kind=Organisation.Kind.LOCAL_AUTHORITY).exclude(pk=council.pk):
        _user(f"council.{other.code.lower()}", f"Staff of {other.name}", other, Role.LA_STAFF)
    shown = [
        ("Central operator", "operator", "Olive Operator", centre, Role.CENTRAL_OPERATOR),
        ("Second operator", "operator2", "Oskar Second", centre, Role.CENTRAL_OPERATOR),
        ("Central clinician", "clinician", "Dr Chidi Eze", centre, Role.CENTRAL_CLINICIAN),
        ("Second clinician", "clinician2", "Dr Ingrid Solberg", centre, Role.CENTRAL_CLINICIAN),
        ("GP", "gp", "Dr Priya Gill", practice, Role.GP),
        ("Practice staff", "practice", "Peter Staff", practice, Role.PRACTICE_STAFF),
        ("Care coordinator", "coordinator", "Carol Adeyemi", practice, Role.COORDINATOR),
        ("Hospital unit", "unit", "Hana Unit", unit, Role.HOSPITAL_STAFF),
        ("Local authority", "council", "Leah Council", council, Role.LA_STAFF),
        *([("Care system lead", "ics", "Isaac Lead", practice.ics, Role.ICS_LEAD)] if practice.ics else []),
        ("Administrator", "admin", "Ada Admin", centre, Role.ADMINISTRATOR),
    ]
    return {title: _user(name, full, where, role) for title, name, full, where, role in shown}


def _user(name: str, full_name: str, organisation: Organisation, role: Role) -> str:
    email = f"{name}@{DOMAIN}"
    if not User.objects.filter(email=email).exists():
        make_user(email=email, name=full_name, password=PASSWORD, organisation=organisation, role=role)
    return email


def load_extracts(country: Country) -> None:
    """Loads the three suppliers' folders."""
    for folder in (country.gp, country.dispensing, country.hospital):
        load_extract(folder=folder, supplier=folder.name, as_at=country.as_at, at=timezone.now())


def search(*, by: Membership) -> SearchRun:
    """Has a worker run the search, if none has landed, and returns the landed run."""
    landed = SearchRun.objects.filter(state=RunState.LANDED)
    if run := landed.first():
        return run
    newest = Extract.objects.latest("as_at")
    run = request_search(search_date=newest.as_at, by=by, at=timezone.now())
    wake(carry_out_search, str(run.pk))
    _wait(lambda: run.pk not in active_run_ids(), "the search")
    run.refresh_from_db()
    if run.state != RunState.LANDED:
        raise DidNotFinishError(f"The search ended as {run.state}. {run.error}")
    return run


def validate(country: Country, *, run: SearchRun, seed: int = 2020) -> None:
    """Practices go through their lists as practices do: most people confirmed, some removed.

    One practice in four, the first among them, is half way and has not signed its list off, so that
    whoever opens the demo finds work to do. Nobody of the cast at the first practice is decided.
    """
    first = country.practice_codes[0]
    left_alone = {member.nhs_number for member in country.cast.values() if member.practice_code == first}
    lists = PracticeList.objects.filter(run=run, submitted_at=None).order_by("practice__code")
    for number, practice_list in enumerate(lists):
        by = Membership.objects.filter(organisation=practice_list.practice, role=Role.GP).first()
        if by is None:
            continue
        is_half_way = number % LATE_PRACTICES == 0
        waiting = ListEntry.objects.filter(practice_list=practice_list, review_state=ReviewState.TO_REVIEW)
        for entry in waiting.select_related("patient").order_by("pk"):
            # By the person, so that a second run decides nothing differently.
            choose = random.Random(f"{seed} {entry.patient.nhs_number}")  # noqa: S311 - not a secret
            if entry.patient.nhs_number in left_alone or (is_half_way and choose.random() < 0.5):
                continue
            if choose.random() < 0.05:
                decisions.remove(
                    entry_id=entry.pk,
                    reason=RemovalReason.LOW_RISK,
                    detail="",
                    is_patient_told=True,
                    by=by,
                    at=timezone.now(),
                    seen=version(entry),
                )
            else:
                decisions.confirm(entry_id=entry.pk, by=by, at=timezone.now(), seen=version(entry))
        if not is_half_way:
            sign_off.submit_list(list_id=practice_list.pk, by=by, at=timezone.now())


def send(*, by: Membership, second: Membership) -> None:
    """Plans, has approved and releases the first letters and texts; workers make them and hand them over."""
    campaign = Campaign.objects.get(slug="first-advice")
    if not Batch.objects.exists():
        _note_dead_numbers()
    for channel in Channel:
        batch = Batch.objects.filter(campaign=campaign, channel=channel).first()
        if batch is None:
            batch = plan_batch(campaign=campaign, channel=channel, by=by, at=timezone.now())
            approve_batch(batch_id=batch.pk, by=second, at=timezone.now())
            release_batch(batch_id=batch.pk, by=by, at=timezone.now())
    wake(work_outbox)


def coordinate(*, seed: int = 2020) -> None:
    """Waits until coordinators are assigned; then some people are called, and some need help."""
    wake(assign_coordinators)
    _wait(lambda: not waiting_for_a_coordinator().exists(), "the coordinators")
    if CheckIn.objects.exists():
        return
    choose = random.Random(seed)  # noqa: S311 - not a secret
    assignments = Assignment.objects.filter(ended_at=None, patient__death_status="")
    for assignment in assignments.select_related("coordinator__organisation").order_by("pk")[:CALLS]:
        is_answered = choose.random() < 0.7
        needs = [(choose.choice(list(NeedKind)), "")] if is_answered and choose.random() < 0.4 else []
        coordination.log_check_in(
            patient_id=assignment.patient_id,
            outcome=CheckInOutcome.COMPLETED if is_answered else CheckInOutcome.NO_ANSWER,
            is_safe_to_talk=True if is_answered else None,
            note="",
            needs=needs,
            by=assignment.coordinator,
            at=timezone.now(),
        )


def help_locally(*, seed: int = 2020) -> None:
    """Councils take up half of what waits for them, and finish some of it."""
    choose = random.Random(seed)  # noqa: S311 - not a secret
    if Referral.objects.exclude(state=ReferralState.WAITING).exists():
        return
    staff = {
        member.organisation.local_authority_id: member
        for member in Membership.objects.filter(role=Role.LA_STAFF).select_related("organisation")
    }
    for referral in Referral.objects.filter(patient__is_restricted=False).order_by("pk"):
        by = staff.get(referral.local_authority_id)
        if by is None or choose.random() < 0.5:
            continue
        coordination.accept(referral_id=referral.pk, by=by, at=timezone.now())
        if choose.random() < 0.5:
            coordination.close(referral_id=referral.pk, what_was_done="Arranged", by=by, at=timezone.now())


def wait_for_letters() -> None:
    """Waits until everything has gone that may go now. Texts may have to wait for 08:00."""

    def is_done() -> bool:
        channels = [channel for channel in Channel if taking(channel, at=timezone.now())]
        return not Message.objects.filter(channel__in=channels, state__in=OPEN).exists()

    _wait(is_done, "the letters and texts")


def post_comes_back(country: Country) -> None:
    """The printer says of a few letters that they came back; of none to the cast."""
    cast = {member.nhs_number for member in country.cast.values()}
    sent = Message.objects.filter(channel=Channel.LETTER, attempt=1, hand_over__isnull=False).select_related("patient")
    back = [
        Event(message.reference, DeliveryStatus.RETURNED, timezone.now(), "Gone away", wrong_address=True)
        for message in sent.order_by("pk")
        if (number := message.patient.nhs_number) not in cast and _is_one_of("letter", number, RETURNED)
    ]
    record(back, at=timezone.now())


def _note_dead_numbers() -> None:
    """Notes the mobiles that turned out, before, to be nobody's."""
    people = Patient.objects.filter(entry__is_on_list=True).exclude(mobile="").values_list("pk", "nhs_number")
    dead = [pk for pk, number in people if _is_one_of("number", number, DEAD_NUMBERS)]
    number_undeliverable(patient_ids=dead, at=timezone.now())


def _is_one_of(what: str, nhs_number: str, share: float) -> bool:
    """Returns whether somebody is among a share of the people: by their number, so that a second run says the same."""
    return random.Random(f"{what} {nhs_number}").random() < share  # noqa: S311 - not a secret


def _wait(is_done: Callable[[], Any], what: str, *, seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise DidNotFinishError(f"Waited {seconds:.0f} seconds for {what}. Is a worker running?")
        time.sleep(0.2)


def membership(email: str) -> Membership:
    """Returns the membership that somebody of the demo works under."""
    return Membership.objects.select_related("organisation", "user").get(user__email=email)

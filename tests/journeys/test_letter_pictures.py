"""The pages of letters and texts in docs/pictures.md: UPDATE_PICTURES=1 takes their pictures anew."""

import random
import uuid
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.urls import reverse

from cohort.models import Patient
from cohort.rules import Channel
from coordinators.models import Assignment, CheckIn
from letters.actions import batches, outbox
from letters.actions.drafts import draft_translation, draft_version
from letters.actions.receipts import record
from letters.models import Batch, Message, Supplier, Template, TemplateVersion
from letters.queries.templates import in_use
from letters.rules import DeliveryStatus
from letters.transports import Event
from shielding.accounts.models import Organisation, Role
from tests.cohort.factories import MembershipFactory, OrganisationFactory, PracticeListFactory
from tests.cohort.oversight.scene import care_system
from tests.journeys.album import MOMENT, Album, album, check
from tests.letters.factories import Mailing, make_mailing, validated

__all__ = ["album"]
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
NAMES = (
    *("Amina Khan", "Bob Marsh", "Charlie Stone", "Ada Abara", "Ben Bell", "Cora Clarke", "Dev Dutta", "Ella Evans"),
    *("Femi Ford", "Gwen Grant", "Harun Hughes", "Iris Iqbal", "Jack Jones", "Kofi Kaur", "Lena Lewis", "Mary Moss"),
)
#: What is wrong with some of them, by name.
WRONG: dict[str, dict[str, Any]] = {
    "Cora Clarke": {"address_lines": ["(no street known)", ""]},
    "Dev Dutta": {"no_fixed_abode": True},
    "Femi Ford": {"mobile": "01632 960555", "postcode": "SM1"},
    "Gwen Grant": {"death_status": "FORMAL"},
    "Lena Lewis": {"asked_not_to_be_contacted": True},
}
PORTUGUESE = "NHS, em nome de ((practice_name)): fique em casa até ler a nossa carta. Nunca pedimos dados bancários."


def the(slug: str) -> TemplateVersion:
    found = in_use(Template.objects.get(slug=slug))
    assert found
    return found


def set_up(monkeypatch: pytest.MonkeyPatch) -> tuple[Mailing, Organisation]:
    """Returns a mailing, with people of two practices and a supplier of each channel, and the first practice."""
    numbers = random.Random(2020)  # noqa: S311 - ids of invented people
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=numbers.getrandbits(128), version=4))
    mailing = make_mailing()
    lists = [
        PracticeListFactory(practice=OrganisationFactory(name=name, code=code, ics=care_system(area)))
        for name, code, area in (
            ("Mill Lane Surgery", "Z90001", "North and Middle"),
            ("Harbour Practice", "Z90002", "South Coast"),
        )
    ]
    for number, name in enumerate(NAMES):
        given, _, family = name.partition(" ")
        one = lists[number % 5 // 3]
        details = {"address_lines": [f"{number + 1} Mill Lane", "Sutton"], **WRONG.get(name, {})}
        validated(practice_list=one, practice=one.practice, given_name=given, family_name=family, **details)
    printer = {"transport": "FOLDER", "daily_capacity": 20_000, "takes_from": time(7), "takes_until": time(19)}
    Supplier.objects.create(slug="printer", name="Northern Print", channel="LETTER", in_use=True, **printer)
    Supplier.objects.create(slug="texts", name="GOV.UK Notify", channel="SMS", transport="NOTIFY", in_use=True)
    return mailing, lists[0].practice


def number_messages(batch: Batch) -> None:
    """Gives messages ids and turns that are the same every time: people go in the order of their names above."""
    for message in Message.objects.filter(batch=batch).select_related("patient"):
        number = NAMES.index(f"{message.patient.given_name} {message.patient.family_name}")
        id_ = uuid.UUID(int=(number * 7919 % 97 << 120) + ord(message.channel[0]), version=4)
        Message.objects.filter(pk=message.pk).update(id=id_, turn=number)


def hand_over(count: int, at: datetime) -> None:
    claimed = outbox.claim(at=at, limit=count)
    assert claimed
    outbox.make_and_hand_over(claimed=claimed, clock=lambda: at)


def bring_into_doubt(message: Message, at: datetime) -> None:
    """Has a worker die while it gave a text to the provider."""
    its = Message.objects.filter(pk=message.pk)
    texts = Supplier.objects.get(slug="texts")
    its.update(state="MAKING")
    its.update(state="RELEASED", released_at=at, holds_checked_at=at, hand_over_key=uuid.uuid4(), supplier=texts)
    its.update(state="IN_DOUBT")


def test_the_pages_of_letters_and_texts(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    mailing, practice = set_up(monkeypatch)
    page = album.page

    def at(name: str, *args: Any) -> str:
        return reverse(f"letters:{name}", args=args)

    album.sign_in(mailing.operator)
    album.take("letters-plan", at("plan"))
    album.take("letters-plan-preview", at("plan") + "?campaign=first-advice&channel=LETTER-SMS")
    album.take("letters-text", at("preview", the("first-advice-sms").pk))
    batch = batches.plan_batch(
        campaign=mailing.campaign,
        channel=Channel.LETTER,
        fallback=Channel.SMS,
        by=mailing.operator,
        at=MOMENT - timedelta(hours=1),
    )
    number_messages(batch)
    album.sign_in(mailing.second)
    album.take("letters-approve", at("batch", batch.pk))
    mailing.release(batch, MOMENT - timedelta(minutes=9))
    for minutes in (6, 3):
        hand_over(4, MOMENT - timedelta(minutes=minutes))
    texts = Message.objects.filter(channel="SMS").order_by("pk")
    bring_into_doubt(texts[0], MOMENT - timedelta(days=8))
    bring_into_doubt(texts[1], MOMENT - timedelta(minutes=2))
    album.sign_in(mailing.operator)
    album.take("letters-batch", at("batch", batch.pk))
    page.goto(album.address + at("stop_part", batch.pk))
    page.get_by_label("The people of one GP practice").check()
    page.get_by_label("Code of the GP practice").fill("Z90002")
    page.get_by_label("Why are you stopping these?").fill("Their phone number in the letter is wrong")
    album.take("letters-stop-part")
    album.take("letters-messages", at("batch_messages", batch.pk))
    album.take("letters-doubts", at("doubts"))
    album.take("letters-doubt", at("settle_doubt", texts[0].pk))
    album.take("letters-batches", at("batches"))
    album.take("letters-arrivals", at("arrivals"))

    text, letter = Template.objects.get(slug="first-advice-sms"), the("first-advice-letter")
    words = the("first-advice-sms").body.replace(
        "until you have read our letter or spoken to us", "until our letter comes"
    )
    draft = draft_version(template=text, subject="", body=words, by=mailing.operator, at=MOMENT)
    portuguese = draft_translation(
        version=the("first-advice-sms"),
        language="pt",
        subject="",
        body=PORTUGUESE,
        is_machine_made=True,
        by=mailing.operator,
        at=MOMENT,
    )
    album.sign_in(mailing.second)
    album.take("templates", at("templates"))
    album.take("template-version", at("template_version", draft.pk))
    album.take("template-letter", at("template_version", letter.pk))
    album.take_letter("template-proof", at("version_proof", letter.pk) + "?person=working-age")
    album.take("template-draft", at("draft_template", "first-advice-letter"))
    album.take("template-translate", at("translate", the("first-advice-sms").pk))
    album.take("template-translation", at("translation", portuguese.pk))

    amina, bob = (Patient.objects.get(given_name=name) for name in ("Amina", "Bob"))
    went = Message.objects.get(patient=amina)
    news = [
        (DeliveryStatus.PRINTED, 1, ""),
        (DeliveryStatus.DISPATCHED, 2, ""),
        (DeliveryStatus.RETURNED, 9, "Gone away"),
    ]
    record(
        [
            Event(went.reference, status, MOMENT + timedelta(days=days), reason, wrong_address=bool(reason))
            for status, days, reason in news
        ],
        at=MOMENT + timedelta(days=9),
    )
    lead = MembershipFactory(organisation=practice, role=Role.COORDINATOR, user__name="Carol Adeyemi")
    Assignment.objects.create(patient=amina, coordinator=lead, started_at=MOMENT)
    CheckIn.objects.create(patient=amina, at=MOMENT + timedelta(days=1), by=lead, outcome="NO_ANSWER")
    Patient.objects.filter(pk=bob.pk).update(undeliverable_mobile=bob.mobile, undeliverable_at=MOMENT)
    album.sign_in(MembershipFactory(organisation=practice, role=Role.GP, user__name="Dr Grace Okafor"))
    album.take("contact-problems", reverse("cohort:contact_problems"))
    album.take("contact-history", at("contact_history", amina.pk))
    modules = ("arrivals", "contact_history", "doubts", "templates", "views")
    check(album, "Letters and texts", *(f"letters.web.{module}" for module in modules), "cohort.web.contact_problems")

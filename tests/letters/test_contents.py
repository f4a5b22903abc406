"""What a person's letter or text says: their language, their format, who leads for them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cohort.languages import LANGUAGES
from cohort.models import Patient
from coordinators.models import Assignment
from letters import contents
from letters.models import Template, TemplateVersion, Translation
from letters.pdf import LetterNotMade, direction, make_pdf
from letters.rules import Format
from shielding.accounts.models import Role
from tests.cohort.factories import MembershipFactory, PatientFactory, UserFactory

AT = datetime(2020, 3, 20, 10, 0, tzinfo=UTC)
ADDRESS = ["Amina Khan", "1 Mill Lane", "SM1 1AA"]
BODY = "Dear ((name)), call ((practice_phone)) from ((date))."
URDU = "محترم ((name))، ((date)) سے ((practice_phone)) پر فون کریں۔"  # noqa: RUF001
POLISH = "Szanowni Państwo ((name)), prosimy dzwonić: ((practice_phone)) od ((date))."

pytestmark = pytest.mark.django_db


def version(body: str = BODY, channel: str = "LETTER") -> TemplateVersion:
    template = Template.objects.create(slug=f"test-{channel.lower()}", name="Test letter", channel=channel)
    return template.versions.create(
        number=1, subject="Advice" if channel == "LETTER" else "", body=body, drafted_at=AT, approved_at=AT
    )


def translate(
    english: TemplateVersion, language: str, body: str, subject: str, *, approved: bool = True
) -> Translation:
    checked = {"approved_at": AT, "approved_by": UserFactory(), "checked_by": "A. Nowak"} if approved else {}
    return english.translations.create(language=language, subject=subject, body=body, drafted_at=AT, **checked)


def person(**details: Any) -> Patient:
    patient = PatientFactory(given_name="Amina", family_name="Khan", **details)
    patient.practice.phone = "01632 960001"
    return patient


def test_somebody_whose_language_has_an_approved_translation_gets_it_with_the_english_after_it() -> None:
    english = version()
    translate(english, "pl", POLISH, "Ważna porada")
    made = contents.letter(english, person(language="pl"), ADDRESS, dated=AT)
    (polish,) = made.blocks
    assert polish.text == "Szanowni Państwo Amina Khan, prosimy dzwonić: 01632 960001 od 20 marca 2020."
    assert (made.title, made.language) == ("Ważna porada", "pl")
    (after,) = made.also
    assert (after.title, after.language) == ("Advice", "en")
    assert after.blocks[0].text == "Dear Amina Khan, call 01632 960001 from 20 March 2020."
    assert made.date == "20 March 2020"  # beside the window, for whoever delivers or files it


@pytest.mark.parametrize("language", ["", "ur", "so"])
def test_others_get_english_alone(language: str) -> None:
    english = version()
    translate(english, "pl", POLISH, "Ważna porada")
    translate(english, "ur", URDU, "اہم مشورہ", approved=False)
    made = contents.letter(english, person(language=language), ADDRESS, dated=AT)
    assert (made.title, made.language, made.also) == ("Advice", "en", ())


def test_what_is_put_into_words_read_from_the_right_is_isolated_and_the_address_is_not() -> None:
    english = version()
    translate(english, "ur", URDU, "اہم مشورہ")
    made = contents.letter(english, person(language="ur"), ADDRESS, dated=AT)
    assert "\u206801632 960001\u2069" in made.blocks[0].text
    assert "\u2068Amina Khan\u2069" in made.blocks[0].text
    assert [part.direction for part in made.parts] == ["rtl", "ltr"]
    assert "\u2068" not in "".join([*made.address, *made.sender, made.also[0].blocks[0].text])
    assert make_pdf(made, made_at=AT) == make_pdf(made, made_at=AT)


def test_a_text_is_in_the_persons_language_alone() -> None:
    english = version("NHS: call ((practice_phone)).", "SMS")
    translate(english, "pl", "NHS: prosimy dzwonić: ((practice_phone)).", "")
    made = contents.text(english, person(language="pl"), dated=AT)
    assert made.text == "NHS: prosimy dzwonić: 01632 960001."
    assert (made.language, made.fragments) == ("pl", 1)
    assert contents.text(english, person(), dated=AT).language == "en"


def test_a_text_that_begins_in_latin_is_read_as_the_rest_of_it() -> None:
    english = version("NHS, for ((practice_name)): call ((practice_phone)).", "SMS")
    translate(english, "ur", "NHS، ((practice_name)) کی طرف سے: ((practice_phone)) پر فون کریں۔", "")  # noqa: RUF001
    assert "\u206801632 960001\u2069" in contents.text(english, person(language="ur"), dated=AT).text


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ([], Format.STANDARD),
        (["LARGE_PRINT"], Format.LARGE_PRINT),
        (["LARGE_PRINT", "EASY_READ"], Format.EASY_READ),
        (["LARGE_PRINT", "BRAILLE", "AUDIO"], Format.BRAILLE),
        (["AUDIO"], Format.AUDIO),
    ],
)
def test_the_format_is_what_the_person_needs(needs: list[str], expected: Format) -> None:
    made = contents.letter(version(), person(formats_needed=needs), ADDRESS, dated=AT)
    assert made.format is expected


COORDINATOR = "Your coordinator is ((coordinator_name)).((coordinator_has_phone?? Call ((coordinator_phone)).))"


@pytest.mark.parametrize(("phone", "said"), [("01632 960222", "Ola Grant. Call 01632 960222."), ("", "Ola Grant.")])
def test_a_letter_names_who_leads_for_the_person_now(phone: str, said: str) -> None:
    patient = person()
    for name, ended in (("Sam Old", AT), ("Ola Grant", None)):
        lead = MembershipFactory(role=Role.COORDINATOR, user__name=name, organisation__phone=phone)
        Assignment.objects.create(patient=patient, coordinator=lead, started_at=AT, ended_at=ended)
    made = contents.letter(version(COORDINATOR), patient, ADDRESS, dated=AT)
    assert made.blocks[0].text == f"Your coordinator is {said}"


def test_without_a_coordinator_there_is_no_such_letter() -> None:
    with pytest.raises(LetterNotMade, match="no care coordinator"):
        contents.letter(version(COORDINATOR), person(), ADDRESS, dated=AT)


def test_a_letter_without_translation_or_coordinator_asks_the_database_nothing(
    django_assert_num_queries: Any,
) -> None:
    english, patient = version(), person()
    with django_assert_num_queries(0):
        contents.letter(english, patient, ADDRESS, dated=AT)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "9 March 2020"), ("pl", "9 marca 2020"), ("ur", "9 مارچ 2020"), ("bn", "9 মার্চ 2020"), ("so", "09/03/2020")],
)
def test_dates_are_in_the_language_where_its_months_are_known(language: str, expected: str) -> None:
    assert contents.long_date(date(2020, 3, 9), language) == expected


def test_every_language_has_some_date() -> None:
    assert all("2020" in contents.long_date(date(2020, 3, 9), language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Advice", "ltr"),
        ("اہم", "rtl"),
        ("2020: NHS: اہم مشورہ", "rtl"),
        ("Ważna اہم", "ltr"),
        ("বাংলা", "ltr"),
        ("12", "ltr"),
    ],
)
def test_a_text_is_read_as_most_of_its_letters_are(words: str, expected: str) -> None:
    assert direction(words) == expected

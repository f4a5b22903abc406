"""What one person's letter or text says: a template version and a person's details in, content out.

Whoever's language has an approved translation gets the letter in it, with the English letter after it, and
the text in it alone. What is put into words that are read from the right is isolated, since a phone number
would turn round.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

from django.utils import formats, timezone, translation

from cohort.models import Patient
from coordinators.queries import LeadContact, lead_contact
from letters import wording
from letters.models import TemplateVersion, Translation
from letters.pdf import LetterContent, LetterNotMade, Part, direction
from letters.queries.templates import translation_for
from letters.rules import Format, e164, is_of_working_age, text_fragments
from shielding.accounts.models import Organisation

#: Of several formats that somebody needs, the letter is made in the first: who needs Braille is helped least by print.
FORMATS = (Format.BRAILLE, Format.AUDIO, Format.EASY_READ, Format.LARGE_PRINT)
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True)
class Text:
    """One text as a provider needs it: the number as +447..., and how many fragments it is charged as."""

    number: str
    text: str
    fragments: int
    language: str = "en"


@dataclass(frozen=True)
class About:
    """Whom a letter is to and from: what placeholders and conditions are worked out from."""

    patient: Patient
    sender: Organisation
    on: date
    lead: LeadContact | None

    def conditions(self) -> set[str]:
        """Returns the conditions that are true of this letter."""
        holds = {
            "working_age": is_of_working_age(self.patient.birth_date, self.on),
            "practice_has_phone": bool(self.patient.practice.phone),
            "sender_has_phone": bool(self.sender.phone),
            "coordinator_has_phone": bool(self.lead and self.lead.phone),
        }
        return {name for name, is_true in holds.items() if is_true}

    def values(self, words: TemplateVersion | Translation, language: str) -> dict[str, str]:
        """Returns what placeholders stand for in a language. Raises LetterNotMade without the coordinator they want."""
        values = {
            "name": f"{self.patient.given_name} {self.patient.family_name}".strip(),
            "date": long_date(self.on, language),
            "practice_name": self.patient.practice.name,
            "practice_phone": self.patient.practice.phone,
            "sender_name": self.sender.name,
            "sender_phone": self.sender.phone,
        }
        if self.lead:
            values |= {"coordinator_name": self.lead.name, "coordinator_phone": self.lead.phone}
        elif wording.asks_for(words.body, "coordinator_"):
            raise LetterNotMade("They have no care coordinator.")
        if read_direction(words) == "rtl":
            return {name: f"{_ISOLATE}{value}{_END_ISOLATE}" for name, value in values.items()}
        return values


def letter(
    version: TemplateVersion,
    patient: Patient,
    address: list[str],
    *,
    dated: datetime,
    unit: Organisation | None = None,
) -> LetterContent:
    """Returns one person's letter, in the language and format they need.

    `address` is the block the database made and checked (`holds.address_block`). `unit` is the
    hospital unit that writes; without one it is the practice. Raises LetterNotMade.
    """
    about = _about(version, patient, dated, unit)
    return letter_in(version, translation_for(version, patient.language), about, address)


def letter_in(
    version: TemplateVersion, translated: Translation | None, about: About, address: Iterable[str]
) -> LetterContent:
    """Returns the letter in English, or in a translation with the English after it. Raises LetterNotMade."""
    main, *also = [_part(words, about) for words in (translated, version) if words]
    sender = about.sender
    below = [*sender.address_lines, sender.postcode, sender.phone]
    return LetterContent(
        title=main.title,
        date=long_date(about.on, "en"),
        address=tuple(address),
        sender=(sender.name, *(line for line in below if line)),
        blocks=main.blocks,
        language=main.language,
        format=format_needed(about.patient),
        also=tuple(also),
    )


def _part(words: TemplateVersion | Translation, about: About) -> Part:
    language = _language(words)
    blocks = wording.letter_blocks(words.body, about.values(words, language), about.conditions())
    return Part(words.subject, tuple(blocks), language)


def text(version: TemplateVersion, patient: Patient, *, dated: datetime) -> Text:
    """Returns one person's text, in their language. Raises ValueError where their number is none, or LetterNotMade."""
    return text_in(translation_for(version, patient.language) or version, _about(version, patient, dated))


def text_in(words: TemplateVersion | Translation, about: About) -> Text:
    """Returns the text that these words make. Raises ValueError where the number is none, or LetterNotMade."""
    language = _language(words)
    said = wording.text_message(words.body, about.values(words, language), about.conditions())
    return Text(e164(about.patient.mobile), said, text_fragments(said), language)


def _language(words: TemplateVersion | Translation) -> str:
    return words.language if isinstance(words, Translation) else "en"


def _about(version: TemplateVersion, patient: Patient, dated: datetime, unit: Organisation | None = None) -> About:
    lead = lead_contact(patient.pk) if wording.asks_for(version.body, "coordinator_") else None
    return About(patient, unit or patient.practice, timezone.localdate(dated), lead)


def read_direction(words: TemplateVersion | Translation) -> Literal["ltr", "rtl"]:
    """Returns which way words are read."""
    return direction(words.subject or wording.without_marks(words.body))


def format_needed(patient: Patient) -> Format:
    """Returns the format in which somebody's letter is made."""
    return next((each for each in FORMATS if each in patient.formats_needed), Format.STANDARD)


@lru_cache(maxsize=256)
def long_date(on: date, language: str) -> str:
    """Returns `14 March 2020` in a language; in digits where Django knows no months of it."""
    if not translation.check_for_language(language):
        return f"{on:%d/%m/%Y}"
    with translation.override(language):
        return formats.date_format(on, "j E Y")


def invented_patient() -> Patient:
    """Returns somebody who does not exist, of working age, to show what a letter or text looks like. Never saved."""
    practice = Organisation(
        name="Mill Lane Surgery", address_lines=["12 Mill Lane", "Sutton"], postcode="SM1 1AB", phone="01632 960001"
    )
    return Patient(
        given_name="Amina",
        family_name="Khan",
        birth_date=date(1970, 2, 14),
        mobile="07700900123",
        language="",
        practice=practice,
    )


INVENTED_ADDRESS = ["Amina Khan", "1 Mill Lane", "Sutton", "SM1 1AA"]

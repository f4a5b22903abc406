"""What one person's letter or text says: a template version and a person's details in, content out."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from cohort.models import Patient
from letters import wording
from letters.models import TemplateVersion
from letters.pdf import LetterContent
from letters.rules import e164, is_of_working_age, text_fragments
from shielding.accounts.models import Organisation


@dataclass(frozen=True)
class Text:
    """One text as a provider needs it: the number as +447..., and how many fragments it is charged as."""

    number: str
    text: str
    fragments: int


def letter(
    version: TemplateVersion,
    patient: Patient,
    address: list[str],
    *,
    dated: datetime,
    unit: Organisation | None = None,
) -> LetterContent:
    """Returns one person's letter. `address` is the block the database made and checked (`holds.address_block`).

    `unit` is the hospital unit that writes; without one it is the practice.
    """
    sender = unit or patient.practice
    conditions = _conditions(patient, timezone.localdate(dated)) | ({"sender_has_phone"} if sender.phone else set())
    values = {
        **_values(patient, timezone.localdate(dated)),
        "sender_name": sender.name,
        "sender_phone": sender.phone,
    }
    below = [*sender.address_lines, sender.postcode, sender.phone]
    return LetterContent(
        title=version.subject,
        date=values["date"],
        address=tuple(address),
        sender=(sender.name, *(line for line in below if line)),
        blocks=tuple(wording.letter_blocks(version.body, values, conditions)),
    )


def text(version: TemplateVersion, patient: Patient, *, dated: datetime) -> Text:
    """Returns one person's text. Raises ValueError where their number is none."""
    on = timezone.localdate(dated)
    words = wording.text_message(version.body, _values(patient, on), _conditions(patient, on))
    return Text(number=e164(patient.mobile), text=words, fragments=text_fragments(words))


def invented_patient() -> Patient:
    """Returns somebody who does not exist, of working age, to show what a letter or text looks like. Never saved."""
    practice = Organisation(
        name="Mill Lane Surgery", address_lines=["12 Mill Lane", "Sutton"], postcode="SM1 1AB", phone="01632 960001"
    )
    return Patient(
        given_name="Amina", family_name="Khan", birth_date=date(1970, 2, 14), mobile="07700900123", practice=practice
    )


INVENTED_ADDRESS = ["Amina Khan", "1 Mill Lane", "Sutton", "SM1 1AA"]


def _values(patient: Patient, on: date) -> dict[str, str]:
    return {
        "name": f"{patient.given_name} {patient.family_name}".strip(),
        "date": f"{on.day} {on:%B %Y}",
        "practice_name": patient.practice.name,
        "practice_phone": patient.practice.phone,
    }


def _conditions(patient: Patient, on: date) -> set[str]:
    holds = {
        "working_age": is_of_working_age(patient.birth_date, on),
        "practice_has_phone": bool(patient.practice.phone),
    }
    return {name for name, is_true in holds.items() if is_true}

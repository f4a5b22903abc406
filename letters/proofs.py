"""Makes what a template says to people who do not exist but have the shape of real ones, and looks at it as made.

They are what letters fail on: long names and addresses, nobody to call, other scripts in a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID

from cohort.models import Patient
from cohort.rules import Channel
from coordinators.queries import LeadContact
from letters import contents
from letters.contents import About, Text
from letters.models import TemplateVersion, Translation
from letters.pdf import LetterContent, LetterNotMade, make_pdf
from letters.pdf_check import letter_problems
from letters.rules import Format
from shielding.accounts.models import Organisation

_AT = datetime(2020, 3, 28, 12, tzinfo=UTC)
#: Longer texts are refused by suppliers (GOV.UK Notify: 918 characters of GSM-7), and cost as much as a letter.
MOST_FRAGMENTS = 6


@dataclass(frozen=True)
class Proof:
    """Somebody invented: `words` say what is special about them."""

    slug: str
    words: str
    about: About
    address: tuple[str, ...]


def _proof(slug: str, words: str, address: list[str], *, born: int, practice: Organisation, lead: LeadContact) -> Proof:
    given, _, family = address[0].partition(" ")
    patient = Patient(
        id=UUID(int=0),
        given_name=given,
        family_name=family,
        birth_date=date(born, 2, 14),
        mobile="07700900123",
        language="",
        practice=practice,
    )
    return Proof(slug, words, About(patient, practice, _AT.date(), lead), tuple(address))


PROOFS = (
    _proof(
        "working-age",
        "Of working age, with a practice that can be called",
        ["Amina Khan", "1 Mill Lane", "Sutton", "SM1 1AA"],
        born=1970,
        practice=Organisation(
            name="Mill Lane Surgery", address_lines=["12 Mill Lane", "Sutton"], postcode="SM1 1AB", phone="01632 960001"
        ),
        lead=LeadContact("Ola Grant", "01632 960222"),
    ),
    _proof(
        "long-name",
        "Retired, with a long name and address, and a practice with a long name",
        [
            "Bartholomew-Alexander Featherstonehaugh-Cholmondeley",
            "Apartment 12, The Old Workhouse",
            "Sheltered Housing at the Corner of",
            "117 North Marine Esplanade East",
            "Burnham-on-Crouch Marina Village",
            "Kirkby-in-Furness",
            "LA17 7UN",
        ],
        born=1931,
        practice=Organisation(
            name="The North Furness and Duddon Estuary Family Medical Centre",
            address_lines=[
                "Second Floor, The Old Corn Exchange",
                "117 North Marine Esplanade East",
                "Kirkby-in-Furness",
            ],
            postcode="LA17 7UN",
            phone="01632 960999 extension 12",
        ),
        lead=LeadContact("Wilhelmina Montgomery-Fotheringay-Phipps", "01632 960333"),
    ),
    _proof(
        "no-phone",
        "With marks on the letters of the name, at a practice whose number is not known",
        ["Zoë Ọlátúndé-Łukasiewicz", "12 Ffordd y Môr", "Llŷn", "LL53 6AA"],
        born=1999,
        practice=Organisation(name="Y Feddygfa", address_lines=["1 Stryd Fawr"], postcode="LL53 6AB", phone=""),
        lead=LeadContact("Siân Ŵyn", ""),
    ),
)


def proof_of(slug: str) -> Proof:
    """Returns the invented person with this slug, or the first."""
    return next((proof for proof in PROOFS if proof.slug == slug), PROOFS[0])


def letter_to(words: TemplateVersion | Translation, proof: Proof, format_: Format) -> LetterContent:
    """Returns the letter that these words make for somebody invented. Raises LetterNotMade."""
    version, translated = (words.version, words) if isinstance(words, Translation) else (words, None)
    made = contents.letter_in(version, translated, proof.about, proof.address)
    return replace(made, format=format_)


def text_to(words: TemplateVersion | Translation, proof: Proof) -> Text:
    """Returns the text that these words make for somebody invented."""
    return contents.text_in(words, proof.about)


def proof_problems(words: TemplateVersion | Translation) -> list[str]:
    """Returns what is wrong with what these words make, fit to show; empty where all is well."""
    template = words.version.template if isinstance(words, Translation) else words.template
    found = _of_letters(words) if template.channel == Channel.LETTER else _of_texts(words)
    return list(dict.fromkeys(found))


def _of_letters(words: TemplateVersion | Translation) -> Iterator[str]:
    for proof in PROOFS:
        for format_ in (Format.STANDARD, Format.LARGE_PRINT):
            try:
                content = letter_to(words, proof, format_)
                found = letter_problems(make_pdf(content, made_at=_AT), content)
            except LetterNotMade as error:
                found = [str(error)]
            in_format = " in large print" if format_ is Format.LARGE_PRINT else ""
            yield from (f"{problem} (Seen in the letter{in_format} to {proof.address[0]}.)" for problem in found)


def _of_texts(words: TemplateVersion | Translation) -> Iterator[str]:
    longest = max(text_to(words, proof).fragments for proof in PROOFS)
    if longest > MOST_FRAGMENTS:
        yield f"It is sent as up to {longest} fragments. Make it shorter: no more than {MOST_FRAGMENTS} are allowed."

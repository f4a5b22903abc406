"""The form that mends a person's details: what is typed, and what it changes."""

import re
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from cohort.amending import Detail, Format, PreferredChannel, Values, address_problems
from cohort.languages import LANGUAGES
from cohort.models import Patient
from cohort.queries.amendments import values_of
from cohort.queries.holds import MOBILE
from cohort.rules import Channel
from shielding.fields import DateField

LINES = tuple(f"address_line_{number}" for number in range(1, 6))
#: The NHS Data Dictionary's reasons for removal from a practice's list, those a practice can tell of.
MOVED_AWAY = {
    "CGA": "Gone away, and we do not know where",
    "OPA": "Moved out of our area",
    "SCT": "Moved to Scotland",
    "NIT": "Moved to Northern Ireland",
    "EMB": "Moved abroad",
    "ORR": "Left for another reason",
}
CHANNELS = [(Channel.LETTER.value, "Letters"), (Channel.SMS.value, "Texts")]
FORMATS = [
    (Format.LARGE_PRINT.value, "Large print"),
    (Format.EASY_READ.value, "Easy read"),
    (Format.BRAILLE.value, "Braille"),
    (Format.AUDIO.value, "Audio"),
]
PREFERRED = [
    ("", "No preference"),
    (PreferredChannel.LETTER.value, "Letter"),
    (PreferredChannel.SMS.value, "Text message"),
    (PreferredChannel.PHONE.value, "Phone call"),
    (PreferredChannel.EMAIL.value, "Email"),
]
_NARROW = {"class": "nhsuk-input--width-20", "autocomplete": "off", "spellcheck": "false"}


class AmendForm(forms.Form):
    """A person's details as held, to be put right. A restricted record's address and numbers are left out."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    no_fixed_abode = forms.BooleanField(label="No fixed abode", required=False)
    address_line_1 = forms.CharField(label="Address line 1", required=False, max_length=100)
    address_line_2 = forms.CharField(label="Address line 2", required=False, max_length=100)
    address_line_3 = forms.CharField(label="Address line 3", required=False, max_length=100)
    address_line_4 = forms.CharField(label="Address line 4", required=False, max_length=100)
    address_line_5 = forms.CharField(label="Address line 5", required=False, max_length=100)
    postcode = forms.CharField(
        label="Postcode",
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-10"}),
    )
    mobile = forms.CharField(
        label="Mobile", required=False, max_length=30, widget=forms.TextInput(attrs={**_NARROW, "type": "tel"})
    )
    landline = forms.CharField(
        label="Landline", required=False, max_length=30, widget=forms.TextInput(attrs={**_NARROW, "type": "tel"})
    )
    email = forms.EmailField(
        label="Email",
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": "Email must be like name@example.com"},
    )
    formats = forms.MultipleChoiceField(
        label="What is written to them must be in", required=False, choices=FORMATS, widget=forms.CheckboxSelectMultiple
    )
    language = forms.ChoiceField(
        label="Language", required=False, choices=[("", "English"), *sorted(LANGUAGES.items(), key=lambda one: one[1])]
    )
    preferred_channel = forms.ChoiceField(label="They would rather have a", required=False, choices=PREFERRED)
    unsafe_channels = forms.MultipleChoiceField(
        label="Not safe to send them",
        help_text="Where somebody else may open their post or read their phone. Nothing is sent this way.",
        required=False,
        choices=CHANNELS,
        widget=forms.CheckboxSelectMultiple,
    )
    safe_contact = forms.CharField(
        label="How to contact them safely",
        help_text="What to do, and never why: everybody who may contact them reads it.",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "How to contact them safely must be 300 characters or fewer"},
    )
    asked_not = forms.BooleanField(label="They asked not to be contacted", required=False)
    moved_away = forms.ChoiceField(label="Have they moved away?", required=False)
    has_died = forms.BooleanField(label="They have died, or are reported to have died", required=False)
    death_date = DateField(
        label="Date of death",
        help_text="Leave empty if you do not know it.",
        required=False,
        not_after=timezone.localdate,
    )

    def __init__(self, patient: Patient, data: Any = None, *, seen: str = "") -> None:
        self.patient = patient
        super().__init__(data, initial=_initial(patient) | {"seen": seen})
        moved: forms.ChoiceField = self.fields["moved_away"]  # type: ignore[assignment]
        code = patient.moved_away_code
        other = [(code, f"Yes, as their record says (code {code})")] if code and code not in MOVED_AWAY else []
        moved.choices = [("", "No"), *other, *MOVED_AWAY.items()]
        if patient.is_restricted:
            for name in (*LINES, "postcode", "no_fixed_abode", "mobile", "landline", "email"):
                del self.fields[name]
        if patient.death_status == Patient.DeathStatus.FORMAL:
            del self.fields["has_died"], self.fields["death_date"]

    def clean(self) -> dict[str, Any]:
        """Checks the address as a whole; the rest is checked field by field."""
        found = super().clean() or {}
        is_typed = "postcode" in self.fields and not found.get("no_fixed_abode")
        is_changed = set(self.changed_data) & {*LINES, "postcode", "no_fixed_abode"}
        if is_typed and is_changed and not set(self.errors) & {*LINES, "postcode"}:
            for name, problem in address_problems([found[line] for line in LINES], found["postcode"]):
                self.add_error(name, problem)
        if found.get("death_date") and not found.get("has_died"):
            self.add_error("has_died", "Tick that they have died, or leave the date of death empty")
        return found

    def clean_postcode(self) -> str:
        """Returns the postcode in capitals with its one space."""
        typed = re.sub(r"\s+", "", self.cleaned_data["postcode"]).upper()
        return f"{typed[:-3]} {typed[-3:]}".strip()

    def clean_mobile(self) -> str:
        """Returns a UK mobile as digits."""
        problem = "Mobile must be a UK mobile number, such as 07700 900982"
        number = _number(self.cleaned_data["mobile"], problem)
        if number and not re.fullmatch(MOBILE, number):
            raise ValidationError(problem)
        return number

    def clean_landline(self) -> str:
        """Returns a UK number as digits."""
        return _number(self.cleaned_data["landline"], "Landline must be a UK phone number, such as 01632 960001")

    @property
    def changes(self) -> dict[Detail, Values]:
        """What `cohort.actions.amendments.amend` takes from a valid form: the details of which a field was changed."""
        clean, changed = self.cleaned_data, set(self.changed_data)
        values: dict[Detail, tuple[set[str], Values]] = {
            Detail.MOBILE: ({"mobile"}, {"mobile": clean.get("mobile")}),
            Detail.LANDLINE: ({"landline"}, {"landline": clean.get("landline")}),
            Detail.EMAIL: ({"email"}, {"email": clean.get("email")}),
            Detail.FORMATS: ({"formats"}, {"formats_needed": sorted(clean["formats"])}),
            Detail.LANGUAGE: ({"language"}, {"language": clean["language"]}),
            Detail.PREFERRED_CHANNEL: ({"preferred_channel"}, {"preferred_channel": clean["preferred_channel"]}),
            Detail.UNSAFE_CHANNELS: ({"unsafe_channels"}, {"unsafe_channels": sorted(clean["unsafe_channels"])}),
            Detail.SAFE_CONTACT: ({"safe_contact"}, {"safe_contact_instruction": clean["safe_contact"]}),
            Detail.ASKED_NOT: ({"asked_not"}, {"asked_not_to_be_contacted": clean["asked_not"]}),
            Detail.MOVED_AWAY: ({"moved_away"}, {"moved_away_code": clean["moved_away"]}),
            Detail.ADDRESS: ({*LINES, "postcode", "no_fixed_abode"}, _address(clean)),
            Detail.DEATH: ({"has_died", "death_date"}, _death(clean)),
        }
        return {
            detail: value
            for detail, (names, value) in values.items()
            if names & changed and self._is_other(detail, value)
        }

    def _is_other(self, detail: Detail, value: Values) -> bool:
        """Says whether a detail is another than is held, however it was typed. The UPRN is never typed."""
        held = values_of(self.patient, detail)
        return any(held[column] != said for column, said in value.items() if column != "uprn")


def _initial(patient: Patient) -> dict[str, Any]:
    lines = [*patient.address_lines, "", "", "", "", ""]
    return {
        **dict(zip(LINES, lines, strict=False)),
        "postcode": patient.postcode,
        "no_fixed_abode": patient.no_fixed_abode,
        "mobile": patient.mobile,
        "landline": patient.landline,
        "email": patient.email,
        "formats": patient.formats_needed,
        "language": patient.language,
        "preferred_channel": patient.preferred_channel,
        "unsafe_channels": patient.unsafe_channels,
        "safe_contact": patient.safe_contact_instruction,
        "asked_not": patient.asked_not_to_be_contacted,
        "moved_away": patient.moved_away_code,
        "has_died": bool(patient.death_status),
        "death_date": patient.death_date,
    }


def _address(clean: dict[str, Any]) -> Values:
    lines = [] if clean.get("no_fixed_abode") else [clean[line] for line in LINES if clean.get(line)]
    return {
        "address_lines": lines,
        "postcode": "" if clean.get("no_fixed_abode") else clean.get("postcode", ""),
        "no_fixed_abode": bool(clean.get("no_fixed_abode")),
        "uprn": "",
    }


def _death(clean: dict[str, Any]) -> Values:
    has_died = bool(clean.get("has_died"))
    died = clean.get("death_date") if has_died else None
    return {
        "death_status": Patient.DeathStatus.INFORMAL.value if has_died else "",
        "death_date": died.isoformat() if died else None,
    }


def _number(typed: str, problem: str) -> str:
    """Returns a UK phone number as digits that begin with 0, or nothing where nothing was typed."""
    if not typed:
        return ""
    try:
        number = phonenumbers.parse(typed, "GB")
    except phonenumbers.NumberParseException as error:
        raise ValidationError(problem) from error
    if number.country_code != 44 or not phonenumbers.is_possible_number(number):
        raise ValidationError(problem)
    return f"0{number.national_number}"

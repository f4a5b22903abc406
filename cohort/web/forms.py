"""Forms of a practice that validates its list: what may be typed, and what is said when it is wrong."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from nhs_number.validate import is_valid

from cohort.actions.additions import Grounds
from cohort.models import Criterion
from cohort.models.lists import REMOVAL_REASONS
from cohort.rules import RemovalReason
from shielding.accounts.models import User
from shielding.fields import DateField

#: Nobody chooses this one: undoing an addition records it.
CHOICES = [choice for choice in REMOVAL_REASONS if choice[0] != RemovalReason.ADDED_BY_MISTAKE]


class NhsNumberField(forms.CharField):
    """An NHS number typed with spaces, dashes or neither; cleans to ten digits."""

    def __init__(self, **options: object) -> None:
        attributes = {
            "inputmode": "numeric",
            "autocomplete": "off",
            "spellcheck": "false",
            "class": "nhsuk-input--width-10",
        }
        options.setdefault("widget", forms.TextInput(attrs=attributes))
        super().__init__(max_length=40, **options)  # type: ignore[arg-type]

    def clean(self, value: str | None) -> str:
        """Returns ten digits whose last is the right check digit, or raises ValidationError."""
        typed = super().clean(value) or ""
        kept = "".join(c for c in typed if not c.isspace() and unicodedata.category(c) not in {"Pd", "Cf"})
        if not (kept.isascii() and kept.isdigit()):
            raise ValidationError("NHS number must be numbers only, such as 999 123 4567")
        if len(kept) != 10:
            raise ValidationError(f"NHS number must be 10 numbers long: this one has {len(kept)}")
        if not is_valid(kept):
            raise ValidationError(
                "This is not an NHS number: check each number, as one may be wrong or two may have changed places"
            )
        return kept


class RemoveForm(forms.Form):
    """Why somebody is taken off the list, and whether they know."""

    seen = forms.CharField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(
        label="Why are you removing them?",
        choices=CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": "Select why you are removing them"},
    )
    detail = forms.CharField(
        label="Detail",
        help_text="Needed if you chose another reason.",
        required=False,
        max_length=200,
        error_messages={"max_length": "Detail must be 200 characters or fewer"},
    )
    is_patient_told = forms.ChoiceField(
        label="Has a clinician told them?",
        help_text="Nobody is sent a message about being removed before a clinician has talked to them.",
        choices=[("yes", "Yes"), ("no", "No, not yet")],
        widget=forms.RadioSelect,
        required=False,
    )
    told_by = forms.CharField(
        label="Who told them?",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-20", "autocomplete": "off"}),
    )
    told_date = DateField(label="When they were told", required=False, not_after=timezone.localdate)

    def clean(self) -> dict[str, object]:
        """Asks for what the chosen reason needs: detail for another reason; telling, unless they have died."""
        found = super().clean() or {}
        reason = found.get("reason")
        if reason == RemovalReason.OTHER and not found.get("detail") and "detail" not in self.errors:
            self.add_error("detail", "Enter the reason")
        if reason != RemovalReason.DIED and not found.get("is_patient_told") and "is_patient_told" not in self.errors:
            self.add_error("is_patient_told", "Select whether a clinician has told them")
        return found

    @property
    def removal(self) -> dict[str, object]:
        """What `cohort.actions.decisions.remove` takes from a valid form."""
        return {
            "reason": RemovalReason(self.cleaned_data["reason"]),
            "detail": self.cleaned_data["detail"],
            "is_patient_told": self.cleaned_data["is_patient_told"] == "yes",
            "told_by": self.cleaned_data["told_by"],
            "told_date": self.cleaned_data["told_date"],
            "seen": self.cleaned_data["seen"],
        }


class WhoForm(forms.Form):
    """Somebody, by the two things that tell them from everybody else."""

    nhs_number = NhsNumberField(
        label="NHS number",
        help_text="10 numbers, such as 999 123 4567.",
        error_messages={"required": "Enter an NHS number"},
    )
    birth_date = DateField(label="Date of birth", not_after=timezone.localdate)


class AddPersonForm(forms.Form):
    """Somebody whom the search did not find, and on what grounds."""

    nhs_number = NhsNumberField(widget=forms.HiddenInput)
    birth_date = forms.DateField(widget=forms.HiddenInput)
    tier = forms.ChoiceField(
        label="How high is their risk?",
        choices=[
            (Criterion.Tier.HIGH.value, "High risk: put them on the list"),
            (Criterion.Tier.VULNERABLE.value, "Vulnerable: only record it. They stay off the list"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Select how high their risk is"},
    )
    disease_group = forms.ChoiceField(label="Disease group", required=False)
    reason = forms.CharField(
        label="Why are they at risk?",
        help_text="For example: takes an immunosuppressant that the hospital prescribes.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=300,
        error_messages={
            "required": "Enter why they are at risk",
            "max_length": "Why they are at risk must be 300 characters or fewer",
        },
    )
    evidence = forms.CharField(
        label="Evidence",
        help_text="What it rests on, such as a clinic letter or a medicine that only the hospital prescribes.",
        required=False,
        max_length=300,
        error_messages={"max_length": "Evidence must be 300 characters or fewer"},
    )
    evidence_date = DateField(label="Date of the evidence", required=False, not_after=timezone.localdate)

    def __init__(self, groups: list[str], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        group: forms.ChoiceField = self.fields["disease_group"]  # type: ignore[assignment]
        group.choices = [("", "None of these: judged by a clinician"), *((name, name) for name in groups)]

    @property
    def grounds(self) -> Grounds:
        """What `cohort.actions.additions` takes from a valid form."""
        names = ("reason", "disease_group", "evidence", "evidence_date")
        return Grounds(**{name: self.cleaned_data[name] for name in names})


class AskForm(forms.Form):
    """A question to a colleague about one person."""

    question = forms.CharField(
        label="What do you want to know?",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        error_messages={
            "required": "Enter your question",
            "max_length": "Your question must be 500 characters or fewer",
        },
    )
    to = forms.ChoiceField(label="Who should answer?", required=False)

    def __init__(self, colleagues: Iterable[User], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        to: forms.ChoiceField = self.fields["to"]  # type: ignore[assignment]
        to.choices = [("", "Anybody at the practice"), *((str(user.pk), str(user)) for user in colleagues)]


class AnswerForm(forms.Form):
    """The answer to a colleague's question."""

    answer = forms.CharField(
        label="Your answer",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        error_messages={"required": "Enter your answer", "max_length": "Your answer must be 500 characters or fewer"},
    )


class ToldForm(forms.Form):
    """Who told somebody of their removal, and when."""

    told_by = forms.CharField(
        label="Who told them?",
        max_length=100,
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-20", "autocomplete": "off"}),
        error_messages={"required": "Enter who told them"},
    )
    told_date = DateField(label="When they were told", not_after=timezone.localdate)


class DraftForm(forms.Form):
    """A removal half written: whatever of it is there."""

    reason = forms.ChoiceField(choices=CHOICES, required=False)
    detail = forms.CharField(required=False, max_length=200)
    is_patient_told = forms.ChoiceField(choices=[("yes", "Yes"), ("no", "No")], required=False)
    seen = forms.CharField()

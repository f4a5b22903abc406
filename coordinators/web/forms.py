"""Forms of coordinators and council staff: what was typed, in our words. The actions decide."""

from typing import Any
from uuid import UUID

from django import forms

from coordinators.models import NEEDS, OUTCOMES, REJECTIONS
from coordinators.rules import CheckInOutcome, NeedKind, RejectionReason

_LENGTH = 300


class CheckInForm(forms.Form):
    """A try to speak to somebody. Each need has a box `detail_<KIND>` of its own.

    `token` becomes the check-in's id, so that sending the form twice logs once.
    """

    token = forms.UUIDField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(
        label="What happened?",
        choices=OUTCOMES,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what happened"},
    )
    is_safe_to_talk = forms.ChoiceField(
        label="Was it safe for them to talk?",
        choices=[("YES", "Yes"), ("NO", "No"), ("", "I did not ask, or nobody answered")],
        widget=forms.RadioSelect,
        required=False,
    )
    needs = forms.MultipleChoiceField(
        label="What do they need help with?",
        choices=NEEDS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(
        label="Note",
        help_text="Coordinators who lead for this person see it, councils do not. "
        "Tell a safeguarding concern to your safeguarding lead: do not write it here.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for kind, label in NEEDS:
            self.fields[f"detail_{kind}"] = forms.CharField(
                label=f"{label}: what the council must know", max_length=_LENGTH, required=False
            )

    def clean(self) -> dict[str, Any]:
        """Refuses a detail whose need is not selected, or it would be lost."""
        cleaned = super().clean() or self.cleaned_data
        for kind, label in NEEDS:
            if cleaned.get(f"detail_{kind}") and kind not in cleaned.get("needs", []):
                self.add_error("needs", f"Select “{label}”, or clear what you wrote about it")
        return cleaned

    @property
    def check_in(self) -> dict[str, Any]:
        """Returns the arguments of `log_check_in` that were typed."""
        typed = self.cleaned_data
        token: UUID = typed["token"]
        return {
            "check_in_id": token,
            "outcome": CheckInOutcome(typed["outcome"]),
            "is_safe_to_talk": {"YES": True, "NO": False}.get(typed["is_safe_to_talk"]),
            "needs": [(NeedKind(kind), typed[f"detail_{kind}"]) for kind in typed["needs"]],
            "note": typed["note"],
        }


class CloseForm(forms.Form):
    """What the council did."""

    what_was_done = forms.CharField(
        label="What was done?",
        help_text="For example: food parcel each Tuesday, started on 24 March. The person's coordinator sees it.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=_LENGTH,
        error_messages={"required": "Enter what was done"},
    )


class RejectForm(forms.Form):
    """Why the council does not act."""

    reason = forms.ChoiceField(
        label="Why can you not help?",
        choices=REJECTIONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Select why you cannot help"},
    )

    @property
    def rejection_reason(self) -> RejectionReason:
        """Returns the reason that was selected."""
        return RejectionReason(self.cleaned_data["reason"])

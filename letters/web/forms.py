"""Forms of the letters app: they check input, and decide nothing."""

from collections.abc import Iterable

from django import forms

from letters.models import CHANNELS, Campaign


class PlanForm(forms.Form):
    """What to plan: a campaign by its slug, and a channel."""

    campaign = forms.ChoiceField(
        label="What is it for?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it is for", "invalid_choice": "Choose what it is for"},
    )
    channel = forms.ChoiceField(
        label="How should it go?",
        choices=CHANNELS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it should go", "invalid_choice": "Choose how it should go"},
    )

    def __init__(self, *args: object, campaigns: Iterable[Campaign], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["campaign"].choices = [(campaign.slug, campaign.name) for campaign in campaigns]  # type: ignore[attr-defined]


class StopForm(forms.Form):
    """Why a batch is stopped."""

    reason = forms.CharField(
        label="Why are you stopping it?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why you are stopping the batch"},
    )


class ReopenForm(forms.Form):
    """Why a list is opened again."""

    reason = forms.CharField(
        label="Why are you opening it again?",
        help_text="It is kept with your name. Do not name a patient.",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Enter why you are opening the list again",
            "max_length": "The reason must be 300 characters or fewer",
        },
    )

"""Forms of the letters app: they check input, and decide nothing."""

from collections.abc import Iterable

from django import forms

from cohort.rules import Channel
from letters import queries
from letters.models import Campaign, PartialStop, Supplier
from letters.rules import MessageState
from shielding.accounts.models import Organisation

#: Channels in the order in which they are tried, and how that is said.
CHANNEL_ORDERS = {
    "LETTER": "Letter",
    "SMS": "Text message",
    "LETTER-SMS": "Letter, or a text message to whom no letter reaches",
    "SMS-LETTER": "Text message, or a letter to whom no text message reaches",
}
STATE_WORDS = {
    MessageState.WAITING: "Waiting",
    MessageState.MAKING: "Being made",
    MessageState.RELEASED: "Being handed over",
    MessageState.HANDED_OVER: "Handed over",
    MessageState.IN_DOUBT: "In doubt",
    MessageState.HELD: "Held",
    MessageState.FAILED: "Failed",
    MessageState.STOPPED: "Stopped",
}


class PlanForm(forms.Form):
    """What to plan: a campaign by its slug, and the channels in their order."""

    campaign = forms.ChoiceField(
        label="What is it for?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it is for", "invalid_choice": "Choose what it is for"},
    )
    channel = forms.ChoiceField(
        label="How should it go?",
        choices=list(CHANNEL_ORDERS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it should go", "invalid_choice": "Choose how it should go"},
    )

    def __init__(self, *args: object, campaigns: Iterable[Campaign], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["campaign"].choices = [(campaign.slug, campaign.name) for campaign in campaigns]  # type: ignore[attr-defined]

    @property
    def channels(self) -> tuple[Channel, Channel | None]:
        """The first channel, and the one to fall back on."""
        first, _, fallback = self.cleaned_data["channel"].partition("-")
        return Channel(first), Channel(fallback) if fallback else None


class StopForm(forms.Form):
    """Why a batch is stopped."""

    reason = forms.CharField(
        label="Why are you stopping it?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why you are stopping the batch"},
    )


class StopPartForm(forms.Form):
    """Whose part of a batch is stopped, and why."""

    kind = forms.ChoiceField(
        label="Whose are to be stopped?",
        choices=[
            (PartialStop.Kind.PRACTICE.value, "The people of one GP practice"),
            (PartialStop.Kind.GROUP.value, "One disease group"),
            (PartialStop.Kind.SOURCE.value, "Those whom one source put on the list"),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose whose are to be stopped",
            "invalid_choice": "Choose whose are to be stopped",
        },
    )
    practice = forms.CharField(label="Code of the GP practice", max_length=20, required=False)
    group = forms.ChoiceField(label="Disease group", required=False)
    source = forms.ChoiceField(
        label="Who put them on the list",
        choices=[("", "Choose"), *((source.value, words) for source, words in queries.SOURCE_WORDS.items())],
        required=False,
    )
    reason = forms.CharField(
        label="Why are you stopping these?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Say why you are stopping these",
            "max_length": "The reason must be 300 characters or fewer",
        },
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        groups = [("", "Choose"), *((group, group) for group in queries.disease_groups())]
        self.fields["group"].choices = groups  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        """Adds `value`: what of this kind is meant. The field of the chosen kind must say it."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        match cleaned.get("kind"):
            case PartialStop.Kind.PRACTICE.value:
                practice = queries.practice_by_code(str(cleaned.get("practice", "")))
                if practice is None:
                    self.add_error("practice", "Enter the code of a GP practice, such as A81001")
                cleaned["value"] = str(practice.pk) if practice else ""
            case PartialStop.Kind.GROUP.value:
                cleaned["value"] = cleaned.get("group", "")
                if not cleaned["value"]:
                    self.add_error("group", "Choose a disease group")
            case PartialStop.Kind.SOURCE.value:
                cleaned["value"] = cleaned.get("source", "")
                if not cleaned["value"]:
                    self.add_error("source", "Choose who put them on the list")
        return cleaned


class MessagesForm(forms.Form):
    """Which messages of a batch are shown."""

    state = forms.ChoiceField(
        label="State",
        choices=[("", "All"), *((state.value, words) for state, words in STATE_WORDS.items())],
        required=False,
    )
    practice = forms.CharField(label="Code of the GP practice", max_length=20, required=False)
    after = forms.UUIDField(required=False)

    def clean_practice(self) -> Organisation | None:
        """Returns the practice, or None where none was asked for."""
        code = self.cleaned_data["practice"].strip()
        practice = queries.practice_by_code(code) if code else None
        if code and practice is None:
            raise forms.ValidationError("There is no GP practice with this code")
        return practice


class DoubtsForm(forms.Form):
    """Which messages in doubt are shown: of one supplier, and those alone that it can no longer be asked about."""

    supplier = forms.ChoiceField(required=False)
    age = forms.ChoiceField(choices=[("", ""), ("forgotten", "")], required=False)

    def __init__(self, *args: object, suppliers: Iterable[Supplier], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._suppliers = {str(supplier.pk): supplier for supplier in suppliers}
        self.fields["supplier"].choices = [("", ""), *((pk, "") for pk in self._suppliers)]  # type: ignore[attr-defined]

    def clean_supplier(self) -> Supplier | None:
        """Returns the supplier, or None where none was asked for."""
        return self._suppliers.get(self.cleaned_data["supplier"])


class SettleForm(forms.Form):
    """What a supplier's people answered about a message in doubt."""

    answer = forms.ChoiceField(
        label="What did the supplier answer?",
        choices=[("HAS", "It has the message"), ("NEVER", "It never had the message")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the supplier answered", "invalid_choice": "Choose one of the answers"},
    )
    provider_id = forms.CharField(
        label="Its id with the supplier",
        help_text="Where the supplier has the message: its people can tell you.",
        max_length=100,
        required=False,
        error_messages={"max_length": "The id must be 100 characters or fewer"},
    )

    def clean(self) -> dict[str, object]:
        """Needs the supplier's id where it has the message, and leaves it out where it has not."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        if cleaned.get("answer") != "HAS":
            cleaned["provider_id"] = ""
        elif not cleaned.get("provider_id") and "provider_id" not in self.errors:
            self.add_error("provider_id", "Enter its id with the supplier")
        return cleaned


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

"""Forms of case conferences: what was typed, in our words. The actions decide.

`token` becomes the id of what is made, so that sending a form twice makes it once. `seen` is the version of
what was shown, so that nothing is overwritten unseen.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from coordinators.conference_rules import ActionState, Side
from coordinators.models import NEEDS, SIDES, Conference, Participant
from coordinators.rules import NeedKind
from shielding.fields import DateField
from shielding.places.models import LocalAuthority

_TIMES = ["%H:%M", "%H.%M", "%I:%M%p", "%I.%M%p", "%I:%M %p", "%I.%M %p", "%I%p", "%I %p"]
_WORDS = 300


def in_a_year() -> date:
    """Returns the latest day that is taken for anything planned: a later one is a slip."""
    return timezone.localdate() + timedelta(days=366)


class WhenForm(forms.Form):
    """When and where the two meet."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    date = DateField(label="Date of the meeting", not_after=in_a_year)
    time = forms.TimeField(
        label="Time",
        help_text="For example, 2:30pm or 14:30.",
        input_formats=_TIMES,
        widget=forms.TextInput(attrs={"class": "nhsuk-input--width-5", "autocomplete": "off"}),
        error_messages={"required": "Enter the time", "invalid": "Time must be like 2:30pm or 14:30"},
    )
    place = forms.CharField(
        label="Where, or how to join",
        help_text="A room, or the phone or video call. Everybody on both sides sees it.",
        max_length=200,
        error_messages={
            "required": "Enter where the meeting is, or how to join it",
            "max_length": "Where, or how to join must be 200 characters or fewer",
        },
    )

    @property
    def starts_at(self) -> datetime:
        """Returns the moment that was typed, in UK time."""
        return timezone.make_aware(datetime.combine(self.cleaned_data["date"], self.cleaned_data["time"]))

    @staticmethod
    def initial_of(conference: Conference) -> dict[str, Any]:
        """Returns what is held now, for the boxes."""
        local = timezone.localtime(conference.starts_at)
        return {
            "seen": conference.version,
            "date": local.date(),
            "time": f"{local:%H:%M}",
            "place": conference.place,
        }


class PlanForm(WhenForm):
    """Which council a practice meets, when and where."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    council = forms.ChoiceField(
        label="Which council?",
        help_text="The councils where people on your list live.",
        widget=forms.RadioSelect,
        error_messages={"required": "Select which council you meet", "invalid_choice": "Select one of the councils"},
    )
    field_order = ["token", "council", "date", "time", "place"]

    def __init__(self, councils: Iterable[tuple[LocalAuthority, int]], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["council"].choices = [  # type: ignore[attr-defined]
            (area.pk, f"{area.name} ({people:,} {'person' if people == 1 else 'people'} on your list)")
            for area, people in councils
        ]


class CancelForm(forms.Form):
    """Why a conference does not take place."""

    reason = forms.CharField(
        label="Why is it cancelled?",
        help_text="Both sides see it. Do not name anybody on the agenda.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=_WORDS,
        error_messages={"required": "Enter why it is cancelled"},
    )


class NeedsForm(forms.Form):
    """The care and support that somebody needs, for both sides to read."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    needs = forms.MultipleChoiceField(
        label="What care and support do they need?",
        help_text="Both sides see this. Leave all empty if they need nothing.",
        choices=NEEDS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    detail = forms.CharField(
        label="What both sides should know",
        help_text="Only what is needed to help: no diagnosis, and nothing about safeguarding.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        required=False,
        error_messages={"max_length": "What both sides should know must be 1,000 characters or fewer"},
    )

    @property
    def kinds(self) -> list[NeedKind]:
        """Returns the needs that were selected."""
        return [NeedKind(kind) for kind in self.cleaned_data["needs"]]


class NoteForm(forms.Form):
    """What one side writes down for itself."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    text = forms.CharField(
        label="Note",
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=4000,
        required=False,
        error_messages={"max_length": "Note must be 4,000 characters or fewer"},
    )

    def __init__(self, side: Side, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if side is Side.PRACTICE:
            label, hint = "Clinical notes of your practice", "Your practice sees them. The council never does."
        else:
            label, hint = "Notes of your council", "Your council sees them. The practice does not."
        self.fields["text"].label = label
        self.fields[
            "text"
        ].help_text = f"{hint} Tell a safeguarding concern to your safeguarding lead: do not write it here."


def _owners(participants: Iterable[Participant]) -> list[tuple[Any, Any]]:
    by_side: dict[str, list[tuple[int, str]]] = {}
    for person in participants:
        by_side.setdefault(person.side, []).append((person.pk, str(person)))
    return [("", "Select a person"), *((dict(SIDES)[side], people) for side, people in by_side.items())]


class OwnerForm(forms.Form):
    """Who does what was agreed, and by when."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    owner = forms.ChoiceField(
        label="Who will do it?",
        help_text="Somebody who takes part. Add others under Attendance first.",
        error_messages={"required": "Select who will do it", "invalid_choice": "Select who will do it"},
    )
    due_date = DateField(label="Due date", not_after=in_a_year)

    def __init__(self, participants: Iterable[Participant], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["owner"].choices = _owners(participants)  # type: ignore[attr-defined]

    @property
    def owner_id(self) -> int:
        """Returns the participant who was selected."""
        return int(self.cleaned_data["owner"])


class ActionForm(OwnerForm):
    """Something that is agreed about somebody."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    what = forms.CharField(
        label="What was agreed?",
        help_text="For example: weekly food parcel from Tuesday. Both sides see it: no diagnosis.",
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=_WORDS,
        error_messages={
            "required": "Enter what was agreed",
            "max_length": f"What was agreed must be {_WORDS} characters or fewer",
        },
    )
    field_order = ["token", "what", "owner", "due_date"]

    def clean_due_date(self) -> date:
        """Refuses a day gone by."""
        due: date = self.cleaned_data["due_date"]
        if due < timezone.localdate():
            raise forms.ValidationError("Due date must be today or later", code="day month year")
        return due


class ProgressForm(forms.Form):
    """How far an action has come."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    text = forms.CharField(
        label="How far has it come?",
        help_text="Both sides see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=_WORDS,
        error_messages={
            "required": "Enter how far it has come",
            "max_length": f"How far it has come must be {_WORDS} characters or fewer",
        },
    )


class SettleForm(forms.Form):
    """The end of an action."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    state = forms.ChoiceField(
        label="What became of it?",
        choices=[(ActionState.DONE.value, "It is done"), (ActionState.NOT_DONE.value, "It will not be done")],
        widget=forms.RadioSelect,
        error_messages={"required": "Select what became of it"},
    )
    outcome = forms.CharField(
        label="What was done, or why it will not be",
        help_text="Both sides see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=_WORDS,
        error_messages={
            "required": "Enter what was done, or why it will not be",
            "max_length": f"What was done, or why it will not be, must be {_WORDS} characters or fewer",
        },
    )


class InviteForm(forms.Form):
    """Somebody of either organisation who uses this service."""

    member = forms.ChoiceField(
        label="Who takes part?",
        error_messages={"required": "Select who takes part", "invalid_choice": "Select who takes part"},
    )

    def __init__(self, members: Iterable[Any], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["member"].choices = [  # type: ignore[attr-defined]
            ("", "Select a person"),
            *((str(one.pk), f"{one.user}, {one.get_role_display()}, {one.organisation}") for one in members),
        ]


class NamedForm(forms.Form):
    """Somebody else who takes part."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "nhsuk-input--width-20"}),
        error_messages={"required": "Enter a name"},
    )
    job = forms.CharField(
        label="Job or organisation",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "nhsuk-input--width-20"}),
    )
    side = forms.ChoiceField(
        label="For which side?",
        choices=SIDES,
        widget=forms.RadioSelect,
        error_messages={"required": "Select for which side they take part"},
    )

"""Forms of the words of letters and texts: they check input, and decide nothing."""

from django import forms

from cohort.languages import LANGUAGES
from cohort.rules import Channel
from letters.models import Template
from letters.wording import CONDITIONS, PLACEHOLDERS


def marks_hint(channel: Channel) -> str:
    """Returns how the words of a letter or text are marked up."""
    placeholders = ", ".join(f"(({name}))" for name in sorted(PLACEHOLDERS[channel]))
    conditions = ", ".join(sorted(CONDITIONS[channel]))
    paragraphs = (
        "Leave an empty line between paragraphs. “# ” begins a heading, “* ” an item of a list, “---” a new page. "
        if channel is Channel.LETTER
        else ""
    )
    return (
        f"{paragraphs}You can use {placeholders}. What stands in ((condition?? and )) is kept only for those it is "
        f"true of; the conditions are {conditions}."
    )


class WordsForm(forms.Form):
    """A letter's heading and words, or a text's words."""

    subject = forms.CharField(
        label="Heading",
        help_text="It is also the title of the PDF.",
        max_length=200,
        error_messages={"required": "Enter a heading", "max_length": "The heading must be 200 characters or fewer"},
    )
    body = forms.CharField(
        label="Words",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 25, "spellcheck": "true"}),
        error_messages={"required": "Enter the words", "max_length": "The words must be 20,000 characters or fewer"},
    )

    def __init__(self, *args: object, template: Template, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        channel = Channel(template.channel)
        self.fields["body"].help_text = marks_hint(channel)
        if channel is Channel.SMS:
            del self.fields["subject"]
            self.fields["body"].widget.attrs["rows"] = 6


class TranslationForm(WordsForm):
    """A translation: its language, heading and words, and whether a machine made it."""

    language = forms.ChoiceField(
        label="Language",
        choices=[("", "Choose a language"), *LANGUAGES.items()],
        error_messages={"required": "Choose a language", "invalid_choice": "Choose one of the languages listed"},
    )
    is_machine_made = forms.BooleanField(
        label="A machine made this translation",
        required=False,
        help_text="It is shown to whoever approves it. Either way somebody must read it beside the English.",
    )
    field_order = ("language", "subject", "body", "is_machine_made")


class ApproveTranslationForm(forms.Form):
    """Who has read a translation."""

    checked_by = forms.CharField(
        label="Who has read it beside the English?",
        help_text="The name of a translator, or of a translation service.",
        max_length=200,
        error_messages={
            "required": "Enter who has read it beside the English",
            "max_length": "The name must be 200 characters or fewer",
        },
    )

"""Forms of code lists: a file, and how to read it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from cohort.codelists import SYSTEMS
from cohort.models import CodeList

LARGEST_MB = 10
_SYSTEM_CHOICES = [(system, system) for system in SYSTEMS]


class UploadForm(forms.Form):
    """A file that is to be the next version of a list, or a new list."""

    code_list = forms.ChoiceField(label="Code list", required=False)
    new_name = forms.CharField(label="Name of the new list", required=False, max_length=200)
    new_slug = forms.RegexField(
        label="Short name of the new list",
        required=False,
        regex=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=100,
        help_text="Small letters, numbers and hyphens, such as solid-transplant. It never changes.",
        error_messages={"invalid": "Short name must be small letters, numbers and hyphens, such as solid-transplant"},
    )
    file = forms.FileField(label="File", help_text="CSV, also gzipped, with a first line that names the columns.")
    origin = forms.CharField(
        label="Where it comes from",
        max_length=200,
        help_text="Publisher and version as given, such as “NHS Digital, SPL annex B version 2.0”.",
        error_messages={"required": "Enter where the file comes from"},
    )

    def __init__(self, *args: Any, lists: Sequence[CodeList], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [(each.slug, f"Next version of {each.name}") for each in lists]
        self.fields["code_list"].choices = [("", "A new list"), *choices]  # type: ignore[attr-defined]
        self.slugs = {each.slug: each.name for each in lists}
        self.fields["file"].error_messages["required"] = "Select a file"

    def clean_file(self) -> UploadedFile:
        """Refuses a file that is too large to read while somebody waits."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_MB * 1024 * 1024:
            raise ValidationError(f"The file must be smaller than {LARGEST_MB} MB")
        return file

    def clean(self) -> dict[str, Any]:
        """Asks for a name and a short name where the list is new."""
        data = self.cleaned_data
        if not data.get("code_list"):
            if not data.get("new_name") and "new_name" not in self.errors:
                self.add_error("new_name", "Enter the name of the new list, or choose one that is there")
            if not data.get("new_slug") and "new_slug" not in self.errors:
                self.add_error("new_slug", "Enter the short name of the new list")
            elif data.get("new_slug") in self.slugs:
                self.add_error("new_slug", f"That is the short name of {self.slugs[data['new_slug']]}: choose it above")
        return data

    def chosen(self) -> tuple[str, str]:
        """Returns the slug and name of the list, once the form is valid."""
        slug = self.cleaned_data["code_list"]
        if slug:
            return slug, self.slugs[slug]
        return self.cleaned_data["new_slug"], self.cleaned_data["new_name"]


class ReadingForm(forms.Form):
    """Which columns hold what. Never guessed: where the header is not known, somebody says it."""

    code_column = forms.ChoiceField(label="Column of the codes", required=False)
    term_column = forms.ChoiceField(label="Column of the terms", required=False)
    system_column = forms.ChoiceField(
        label="Column of the code system", required=False, help_text="Where rows are of different systems."
    )
    system = forms.ChoiceField(
        label="Code system of every row", required=False, choices=[("", "As the file says"), *_SYSTEM_CHOICES]
    )
    split_by = forms.ChoiceField(
        label="Column that divides the file into lists", required=False, help_text="Such as a disease group."
    )
    group = forms.ChoiceField(label="Rows of this list", required=False)

    def __init__(self, *args: Any, columns: Sequence[str], groups: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        named = [(name, name) for name in columns if name]
        first = {"code_column": "As known for this header", "term_column": "None", "system_column": "None"}
        for field, none in {**first, "split_by": "None: the whole file is one list"}.items():
            self.fields[field].choices = [("", none), *named]  # type: ignore[attr-defined]
        self.fields["group"].choices = [("", "Choose"), *((each, each) for each in groups)]  # type: ignore[attr-defined]

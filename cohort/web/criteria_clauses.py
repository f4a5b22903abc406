"""Forms of clauses, one for each kind."""

from collections.abc import Mapping
from typing import Any

from django import forms

from cohort.search import criteria as model
from cohort.search.terms import SexCode
from cohort.web.clause_fields import (
    NARROW,
    SOURCES,
    ClauseForm,
    SourceFields,
    ValueFields,
    WindowFields,
    list_field,
    typed,
)

KIND_WORDS = {
    "RECORDS": "Records of a code list",
    "AGE": "Age",
    "SEX": "Sex",
    "NOT_FOLLOWED_BY": "A record with none of another list after it",
    "LATEST_OF_TWO": "The latest of two lists",
    "LATEST_VALUE": "The latest value, such as a test result",
    "SAME_EPISODE": "Two codes in the same hospital episode",
}


class RecordsForm(ValueFields, WindowFields, SourceFields, ClauseForm):
    """Enough records of a code list."""

    kind = "RECORDS"
    field_order = ["label", "code_list", "sources"]
    fields_of_paths = {"window.first": "window_first", "window.last": "window_last", "value": "value_under"}

    code_list = list_field("Code list")
    at_least = forms.IntegerField(label="How many at least", initial=1, widget=forms.TextInput(attrs=NARROW))
    at_least_reason = forms.CharField(
        label="Why so many", required=False, max_length=500, help_text="Not needed for one."
    )
    counted_as = forms.ChoiceField(
        label="Counted as",
        choices=[
            ("RECORDS", "Records"),
            ("DISTINCT_DATES", "Different days"),
            ("COURSES", "Courses: runs of records without a long gap"),
        ],
        widget=forms.RadioSelect,
        initial="RECORDS",
    )
    course_gap = forms.IntegerField(
        label="Longest gap within a course, in days", required=False, widget=forms.TextInput(attrs=NARROW)
    )
    course_gap_reason = forms.CharField(label="Why this gap", required=False, max_length=500)

    def written(self) -> dict[str, Any]:
        """Returns the clause as JSON."""
        data = self.cleaned_data
        found = {
            **super().written(),
            "code_list": data["code_list"],
            "sources": data["sources"],
            "at_least": {"value": data["at_least"], "reason": data["at_least_reason"]},
            "counted_as": data["counted_as"],
            "window": self.window(),
            "value": self.value_range(),
        }
        if data["counted_as"] == "COURSES" and data["course_gap"] is not None:
            found["course_gap"] = {"value": data["course_gap"], "reason": data["course_gap_reason"]}
        return found

    def clean(self) -> dict[str, Any]:
        """Looks at the window first: its errors are told in its own words."""
        self.clean_window()
        data = self.cleaned_data
        if data.get("counted_as") == "COURSES" and data.get("course_gap") is None and "course_gap" not in self.errors:
            self.add_error("course_gap", "Enter the longest gap within a course, such as 30")
        return super().clean()

    @staticmethod
    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields\' first values."""
        return {
            "label": data["label"],
            "code_list": data["code_list"],
            "sources": data.get("sources") or [value for value, _ in SOURCES],
            "at_least": typed(data, "at_least", "value") or 1,
            "at_least_reason": typed(data, "at_least", "reason") or "",
            "counted_as": data.get("counted_as", "RECORDS"),
            "course_gap": typed(data, "course_gap", "value"),
            "course_gap_reason": typed(data, "course_gap", "reason"),
            **WindowFields.read_window(data),
            **ValueFields.read_value(data),
        }


class TwoListsForm(WindowFields, SourceFields, ClauseForm):
    """A record of one list, set against another list."""

    field_order = ["label", "code_list", "other_list", "followed_by", "with_list", "sources"]
    second = ""
    code_list = list_field("Code list")

    def written(self) -> dict[str, Any]:
        """Returns the clause as JSON."""
        data = self.cleaned_data
        found = {**super().written(), "code_list": data["code_list"], "window": self.window()}
        if self.second:
            found[self.second] = data[self.second]
        return {**found, "sources": data["sources"]} if "sources" in self.fields else found

    def clean(self) -> dict[str, Any]:
        """Looks at the window first: its errors are told in its own words."""
        self.clean_window()
        return super().clean()

    @staticmethod
    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields\' first values."""
        names = ("label", "code_list", "other_list", "followed_by", "with_list")
        return {
            **{name: data[name] for name in names if name in data},
            "sources": data.get("sources") or [value for value, _ in SOURCES],
            **WindowFields.read_window(data),
            **ValueFields.read_value(data),
        }


class NotFollowedByForm(TwoListsForm):
    """A record after which none of another list comes."""

    kind = "NOT_FOLLOWED_BY"
    second = "followed_by"
    followed_by = list_field("With no record after it from")


class LatestOfTwoForm(TwoListsForm):
    """Of two lists the latest record is of the first."""

    kind = "LATEST_OF_TWO"
    second = "other_list"
    other_list = list_field("Later than any record from")


class SameEpisodeForm(TwoListsForm):
    """Two codes in one hospital episode."""

    kind = "SAME_EPISODE"
    second = "with_list"
    sources = None  # type: ignore[assignment]
    with_list = list_field("In the same hospital episode as a code from")


class LatestValueForm(ValueFields, TwoListsForm):
    """The latest value is in a range."""

    kind = "LATEST_VALUE"

    def written(self) -> dict[str, Any]:
        """Returns the clause as JSON."""
        return {**super().written(), "value": self.value_range() or {"reason": self.cleaned_data["value_reason"]}}

    fields_of_paths = {"value": "value_at_least"}


class AgeForm(ClauseForm):
    """Limits of age."""

    kind = "AGE"
    label = None  # type: ignore[assignment]
    at_least = forms.IntegerField(label="Aged at least", required=False, widget=forms.TextInput(attrs=NARROW))
    at_least_reason = forms.CharField(label="Why this age", required=False, max_length=500)
    under = forms.IntegerField(label="Aged under", required=False, widget=forms.TextInput(attrs=NARROW))
    under_reason = forms.CharField(label="Why under this age", required=False, max_length=500)

    def written(self) -> dict[str, Any]:
        """Returns the clause as JSON."""
        data = self.cleaned_data
        limits = {name: data[name] for name in ("at_least", "under") if data.get(name) is not None}
        return {
            "clause": self.kind,
            **{name: {"value": value, "reason": data[f"{name}_reason"]} for name, value in limits.items()},
        }

    @staticmethod
    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields\' first values."""
        return {
            name + ending: typed(data, name, part)
            for name in ("at_least", "under")
            for ending, part in (("", "value"), ("_reason", "reason"))
        }


class SexForm(ClauseForm):
    """Sex as recorded."""

    kind = "SEX"
    label = None  # type: ignore[assignment]
    any_of = forms.MultipleChoiceField(
        label="Sex as recorded",
        choices=[(code.value, model.SEX_WORDS[code]) for code in SexCode],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Select at least one"},
    )

    def written(self) -> dict[str, Any]:
        """Returns the clause as JSON."""
        return {"clause": self.kind, "any_of": self.cleaned_data["any_of"]}

    @staticmethod
    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields\' first values."""
        return {"any_of": data.get("any_of", [])}


FORMS: dict[str, type[ClauseForm]] = {
    form.kind: form
    for form in (
        RecordsForm,
        AgeForm,
        SexForm,
        NotFollowedByForm,
        LatestOfTwoForm,
        LatestValueForm,
        SameEpisodeForm,
    )
}

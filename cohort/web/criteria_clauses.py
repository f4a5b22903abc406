"""Forms of clauses, one for each kind.

A clause's form makes the JSON of the clause and has the codec read it, so that the model alone says
what is well formed; its error is shown at the field that the error's path names.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms

from cohort.models import CodeListVersion
from cohort.search import criteria as model
from cohort.search.codec import from_json, to_json
from cohort.search.terms import CriterionError, MissingField, SexCode, Tier
from shielding.fields import DateField

KIND_WORDS = {
    "RECORDS": "Records of a code list",
    "AGE": "Age",
    "SEX": "Sex",
    "NOT_FOLLOWED_BY": "A record with none of another list after it",
    "LATEST_OF_TWO": "The latest of two lists",
    "LATEST_VALUE": "The latest value, such as a test result",
    "SAME_EPISODE": "Two codes in the same hospital episode",
}
_SOURCES = [("GP", "GP records"), ("MEDICINES", "Dispensed medicines"), ("HOSPITAL", "Hospital records")]
NARROW = {"class": "nhsuk-input--width-4", "inputmode": "numeric"}


def clause_json(clause: model.Clause) -> dict[str, Any]:
    """Returns one clause as the JSON of a criterion has it."""
    rule: dict[str, Any] = to_json(model.Criterion("any", "Any", Tier.HIGH, "Any", clause))["rule"]
    return rule


def _typed(data: Mapping[str, Any], *path: str) -> Any:
    for name in path:
        data = (data or {}).get(name)  # type: ignore[assignment]
    return data


def say_what_to_enter(form: forms.Form) -> None:
    """Has each field that is left empty say what to do, in the words of its label."""
    for field in form.fields.values():
        if field.error_messages.get("required") == forms.Field.default_error_messages["required"]:
            label = str(field.label or "")
            verb = "Select" if isinstance(field, forms.ChoiceField) else "Enter"
            field.error_messages["required"] = f"{verb} {label[:1].lower()}{label[1:]}"


class ClauseForm(forms.Form):
    """The fields that every clause about records shares. `clause` is what it says, once it is valid."""

    kind = ""
    #: Where the path of an error in the model differs from the name of the field.
    fields_of_paths: Mapping[str, str] = {}

    label = forms.CharField(
        label="What practices read beside the evidence",
        max_length=200,
        help_text="In plain English, such as “Prednisolone dispensed”.",
    )
    clause: model.Clause

    def __init__(self, *args: Any, lists: Iterable[CodeListVersion] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        say_what_to_enter(self)
        choices = [("", "Choose a code list")]
        choices += [(each.code_list.slug, f"{each.code_list.name} (version {each.number})") for each in lists]
        for name in ("code_list", "other_list", "followed_by", "with_list"):
            if name in self.fields:
                self.fields[name].choices = choices  # type: ignore[attr-defined]

    def written(self) -> dict[str, Any]:
        """Returns the clause as JSON, from what was typed."""
        return {"clause": self.kind, "label": self.cleaned_data.get("label", "")}

    @staticmethod
    def read(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields' first values, from a clause as JSON."""
        return {"label": data.get("label", "")}

    def clean(self) -> dict[str, Any]:
        """Has the model read the clause; what it finds wrong becomes the error of a field."""
        if self.errors:
            return self.cleaned_data
        about = {"slug": "any", "title": "Any", "tier": "HIGH", "disease_group": "Any"}
        try:
            self.clause = from_json({**about, "rule": self.written()}).rule
        except CriterionError as error:
            self._tell(error)
        return self.cleaned_data

    def _tell(self, error: CriterionError) -> None:
        path = error.path.removeprefix("rule").removeprefix(".")
        name = self.fields_of_paths.get(path) or path.replace(".", "_")
        if name.endswith("_value") and name not in self.fields:
            name = name.removesuffix("_value")
        if name not in self.fields:
            name = next((each for each in self.fields if name and each.startswith(name)), "")
        if not name:
            self.add_error(None, f"This clause {error.problem}")
            return
        label = str(self.fields[name].label)
        text = (
            f"Enter {label[:1].lower()}{label[1:]}" if isinstance(error, MissingField) else f"{label}: {error.problem}"
        )
        self.add_error(name, text)


def _list_field(label: str, help_text: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, help_text=help_text)


class WindowFields(forms.Form):
    """When a record counts."""

    window_kind = forms.ChoiceField(
        label="When",
        choices=[
            ("EVER", "Ever"),
            ("RELATIVE", "A time up to the search date"),
            ("FIXED", "From one day to another, whenever the search is"),
        ],
        widget=forms.RadioSelect,
        initial="EVER",
    )
    window_length = forms.IntegerField(label="How long", required=False, widget=forms.TextInput(attrs=NARROW))
    window_unit = forms.ChoiceField(
        label="Counted in", required=False, choices=[("MONTHS", "Months"), ("DAYS", "Days")], initial="MONTHS"
    )
    window_reason = forms.CharField(label="Why so long", required=False, max_length=500)
    window_first = DateField(label="First day", required=False)
    window_last = DateField(label="Last day", required=False, help_text="Leave empty for the search date.")
    window_days_reason = forms.CharField(label="Why these days", required=False, max_length=500)

    def window(self) -> dict[str, Any] | None:
        """Returns the window as JSON; None for ever."""
        data = self.cleaned_data
        if data.get("window_kind") == "RELATIVE":
            found = {"unit": data["window_unit"] or "MONTHS", "reason": data["window_reason"]}
            return found if data["window_length"] is None else {**found, "length": data["window_length"]}
        if data.get("window_kind") != "FIXED":
            return None
        found = {"reason": data["window_days_reason"], "first": _iso(data["window_first"])}
        return {**found, "last": _iso(data["window_last"])} if data["window_last"] else found

    def clean_window(self) -> None:
        """Adds the errors that the model would tell of another field."""
        data = self.cleaned_data
        if data.get("window_kind") == "RELATIVE":
            if data.get("window_length") is None and "window_length" not in self.errors:
                self.add_error("window_length", "Enter how long, such as 6")
            if not data.get("window_reason"):
                self.add_error("window_reason", "Enter why so long: somebody will ask")
        if data.get("window_kind") == "FIXED":
            if not data.get("window_first") and "window_first" not in self.errors:
                self.add_error("window_first", "Enter the first day")
            if not data.get("window_days_reason"):
                self.add_error("window_days_reason", "Enter why these days: somebody will ask")

    @staticmethod
    def read_window(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields' first values."""
        window = data.get("window")
        if not window:
            return {"window_kind": "EVER"}
        if "first" in window:
            return {
                "window_kind": "FIXED",
                "window_first": date.fromisoformat(window["first"]),
                "window_last": date.fromisoformat(window["last"]) if window.get("last") else None,
                "window_days_reason": window["reason"],
            }
        return {"window_kind": "RELATIVE", **{f"window_{name}": value for name, value in window.items()}}


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


class SourceFields(forms.Form):
    """Which records are read."""

    sources = forms.MultipleChoiceField(
        label="Where to look",
        choices=_SOURCES,
        widget=forms.CheckboxSelectMultiple,
        initial=["GP", "MEDICINES", "HOSPITAL"],
        error_messages={"required": "Select where to look"},
    )


class ValueFields(forms.Form):
    """Which values of a record count."""

    value_at_least = forms.FloatField(label="Value of at least", required=False, widget=forms.TextInput(attrs=NARROW))
    value_under = forms.FloatField(label="Value of less than", required=False, widget=forms.TextInput(attrs=NARROW))
    value_unit = forms.CharField(label="Unit of the value", required=False, max_length=30)
    value_reason = forms.CharField(label="Why these values", required=False, max_length=500)

    def value_range(self) -> dict[str, Any] | None:
        """Returns the range as JSON; None without limits."""
        data = self.cleaned_data
        limits = {
            name: data[f"value_{name}"] for name in ("at_least", "under") if data.get(f"value_{name}") is not None
        }
        if not limits:
            return None
        return {**limits, "unit": data["value_unit"], "reason": data["value_reason"]}

    @staticmethod
    def read_value(data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the fields' first values."""
        return {f"value_{name}": value for name, value in (data.get("value") or {}).items()}


class RecordsForm(ValueFields, WindowFields, SourceFields, ClauseForm):
    """Enough records of a code list."""

    kind = "RECORDS"
    field_order = ["label", "code_list", "sources"]
    fields_of_paths = {"window.first": "window_first", "window.last": "window_last", "value": "value_under"}

    code_list = _list_field("Code list")
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
            "sources": data.get("sources") or [value for value, _ in _SOURCES],
            "at_least": _typed(data, "at_least", "value") or 1,
            "at_least_reason": _typed(data, "at_least", "reason") or "",
            "counted_as": data.get("counted_as", "RECORDS"),
            "course_gap": _typed(data, "course_gap", "value"),
            "course_gap_reason": _typed(data, "course_gap", "reason"),
            **WindowFields.read_window(data),
            **ValueFields.read_value(data),
        }


class TwoListsForm(WindowFields, SourceFields, ClauseForm):
    """A record of one list, set against another list."""

    field_order = ["label", "code_list", "other_list", "followed_by", "with_list", "sources"]
    second = ""
    code_list = _list_field("Code list")

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
            "sources": data.get("sources") or [value for value, _ in _SOURCES],
            **WindowFields.read_window(data),
            **ValueFields.read_value(data),
        }


class NotFollowedByForm(TwoListsForm):
    """A record after which none of another list comes."""

    kind = "NOT_FOLLOWED_BY"
    second = "followed_by"
    followed_by = _list_field("With no record after it from")


class LatestOfTwoForm(TwoListsForm):
    """Of two lists the latest record is of the first."""

    kind = "LATEST_OF_TWO"
    second = "other_list"
    other_list = _list_field("Later than any record from")


class SameEpisodeForm(TwoListsForm):
    """Two codes in one hospital episode."""

    kind = "SAME_EPISODE"
    second = "with_list"
    sources = None  # type: ignore[assignment]
    with_list = _list_field("In the same hospital episode as a code from")


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
            name + ending: _typed(data, name, part)
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

"""What the forms of clauses are put together from: a window, sources, a range of values, and how errors are placed.

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
from cohort.search.terms import CriterionError, MissingField, Tier
from shielding.fields import DateField

SOURCES = [("GP", "GP records"), ("MEDICINES", "Dispensed medicines"), ("HOSPITAL", "Hospital records")]
NARROW = {"class": "nhsuk-input--width-4", "inputmode": "numeric"}


def clause_json(clause: model.Clause) -> dict[str, Any]:
    """Returns one clause as the JSON of a criterion has it."""
    rule: dict[str, Any] = to_json(model.Criterion("any", "Any", Tier.HIGH, "Any", clause))["rule"]
    return rule


def typed(data: Mapping[str, Any], *path: str) -> Any:
    """Returns what a clause's JSON holds beneath a path, or None."""
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


def list_field(label: str, help_text: str = "") -> forms.ChoiceField:
    """Returns the choice of a code list, whose choices the form fills in."""
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
        choices=SOURCES,
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

"""Forms of drafts and criteria, save those of single clauses."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from cohort.drafting import SignOffOutcome
from cohort.models import CodeListVersion
from cohort.search import criteria as model
from cohort.search.codec import from_json
from cohort.search.terms import CriterionError, Tier
from cohort.web.clause_fields import NARROW, clause_json, say_what_to_enter

GROUP_WORDS = {
    "ALL_OF": "All of these",
    "ANY_OF": "Any of these",
    "NONE_OF": "None of these",
    "AT_LEAST": "At least so many of these",
}


class GroupForm(forms.Form):
    """How many of a group's clauses must be true."""

    kind = forms.ChoiceField(label="What must be true", choices=list(GROUP_WORDS.items()), widget=forms.RadioSelect)
    count = forms.IntegerField(label="How many at least", required=False, widget=forms.TextInput(attrs=NARROW))
    count_reason = forms.CharField(label="Why so many", required=False, max_length=500)
    clause: model.Group

    def __init__(self, *args: Any, group: model.Group, **options: Any) -> None:
        super().__init__(*args, **options)
        self.group = group

    @staticmethod
    def read(group: model.Group) -> dict[str, Any]:
        """Returns the fields' first values."""
        data = clause_json(group)
        return {
            "kind": data["clause"],
            "count": (data.get("count") or {}).get("value"),
            "count_reason": (data.get("count") or {}).get("reason"),
        }

    def clean(self) -> dict[str, Any]:
        """Has the model make the group, of the same clauses."""
        data = self.cleaned_data
        if self.errors:
            return data
        clauses = clause_json(self.group)["clauses"]
        written: dict[str, Any] = {"clause": data["kind"], "clauses": clauses}
        if data["kind"] == "AT_LEAST":
            if data["count"] is None:
                raise ValidationError({"count": "Enter how many at least"})
            written["count"] = {"value": data["count"], "reason": data["count_reason"]}
        try:
            criterion = from_json(
                {"slug": "any", "title": "Any", "tier": "HIGH", "disease_group": "Any", "rule": written}
            )
        except CriterionError as error:
            name = "count_reason" if error.path.endswith("reason") else "count"
            raise ValidationError({name: f"{self.fields[name].label}: {error.problem}"}) from None
        assert isinstance(criterion.rule, model.Group)  # noqa: S101
        self.clause = criterion.rule
        return data


class AboutForm(forms.Form):
    """What a criterion is called, whom it is about, and its note."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        say_what_to_enter(self)

    title = forms.CharField(label="Title", max_length=200)
    tier = forms.ChoiceField(
        label="Tier",
        choices=[("HIGH", "High risk: found and contacted"), ("VULNERABLE", "Vulnerable: counted")],
        widget=forms.RadioSelect,
    )
    disease_group = forms.CharField(label="Disease group", max_length=100)
    note = forms.CharField(
        label="Note",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Where the rule comes from, and what is assumed.",
    )


class NewCriterionForm(AboutForm):
    """A criterion that is not there yet, with its first clause: a record of a code list."""

    slug = forms.RegexField(
        label="Short name",
        regex=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=100,
        help_text="Small letters, numbers and hyphens, such as severe-asthma. It never changes.",
        error_messages={"invalid": "Short name must be small letters, numbers and hyphens, such as severe-asthma"},
    )
    code_list = forms.ChoiceField(label="Code list of the first clause", help_text="More clauses can be added after.")
    field_order = ["title", "slug", "tier", "disease_group", "code_list", "note"]

    def __init__(self, *args: Any, lists: Iterable[CodeListVersion], **options: Any) -> None:
        super().__init__(*args, **options)
        self.lists = {each.code_list.slug: each for each in lists}
        choices = [(slug, each.code_list.name) for slug, each in self.lists.items()]
        self.fields["code_list"].choices = [("", "Choose a code list"), *choices]  # type: ignore[attr-defined]

    def criterion(self) -> model.Criterion:
        """Returns the criterion, once the form is valid."""
        data = self.cleaned_data
        clause = model.Records(self.lists[data["code_list"]].code_list.name, data["code_list"])
        return model.Criterion(
            data["slug"], data["title"], Tier(data["tier"]), data["disease_group"], clause, data["note"]
        )


class ProposeForm(forms.Form):
    """What the second clinician is told."""

    reason = forms.CharField(
        label="What changes, and why",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Enter what changes, and why"},
    )


class SignOffForm(forms.Form):
    """What the second clinician says."""

    outcome = forms.ChoiceField(
        label="Do you sign this version off?",
        choices=[
            (SignOffOutcome.APPROVED.value, "Yes, I have read it and approve it"),
            (SignOffOutcome.DECLINED.value, "No, it needs changes"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Select whether you sign it off"},
    )
    comment = forms.CharField(
        label="Comment", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed where you do not sign it off: say what must change.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Asks for a comment where the answer is no."""
        data = self.cleaned_data
        if data.get("outcome") == SignOffOutcome.DECLINED and not data.get("comment"):
            self.add_error("comment", "Enter what must change")
        return data


class RetireCaseForm(forms.Form):
    """Why an example person is taken out."""

    why = forms.CharField(
        label="Why take them out?", max_length=300, error_messages={"required": "Enter why you take them out"}
    )

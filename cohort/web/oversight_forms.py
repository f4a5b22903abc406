"""Forms of oversight: which lists to show, and what is decided about late ones."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from cohort.late import LatePolicy
from cohort.models import SearchRun
from cohort.models.oversight import LATE_POLICIES
from cohort.queries.oversight import Show, Sort, care_systems
from shielding.accounts.models import Organisation
from shielding.fields import DateField

SHOW = [
    (Show.OPEN.value, "Not signed off"),
    (Show.OVERDUE.value, "Overdue"),
    (Show.ESCALATED.value, "Escalated to the care system"),
    (Show.NOT_REACHED.value, "Reminder not sent"),
    (Show.SIGNED_OFF.value, "Signed off"),
    (Show.ALL.value, "All lists"),
]
SORT = [
    (Sort.DUE.value, "Longest due"),
    (Sort.LEFT.value, "Most people to review"),
    (Sort.PROGRESS.value, "Least progress"),
    (Sort.NAME.value, "Practice name"),
]


class ChooseForm(forms.Form):
    """Which lists to show, and in which order; what is not known counts as not chosen."""

    show = forms.ChoiceField(label="Show", choices=SHOW, required=False)
    sort = forms.ChoiceField(label="Sort by", choices=SORT, required=False)
    name = forms.CharField(label="Practice name or code", required=False, max_length=100)
    run: "forms.ModelChoiceField[SearchRun]" = forms.ModelChoiceField(
        None, label="Search", required=False, empty_label="All searches"
    )
    ics: "forms.ModelChoiceField[Organisation]" = forms.ModelChoiceField(
        None, label="Integrated care system", required=False, empty_label="All of them"
    )

    def __init__(self, *args: Any, runs: QuerySet[SearchRun], is_area: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["run"].queryset = runs  # type: ignore[attr-defined]
        if is_area:
            del self.fields["ics"]
        else:
            self.fields["ics"].queryset = care_systems()  # type: ignore[attr-defined]

    def chosen(self) -> tuple[dict[str, Any], Sort]:
        """Returns what `cohort.queries.oversight.chosen` takes besides the day, and the order."""
        self.is_valid()
        found = self.cleaned_data
        run, ics = found.get("run"), found.get("ics")
        return {
            "show": Show(found.get("show") or Show.OPEN),
            "name": found.get("name", ""),
            "run": run.pk if run else None,
            "ics": ics.pk if ics else None,
        }, Sort(found.get("sort") or Sort.DUE)


class DecideForm(forms.Form):
    """What happens to people whom practices do not review in time."""

    policy = forms.ChoiceField(
        label="What should happen to people who are not reviewed in time?",
        choices=LATE_POLICIES,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what should happen to people who are not reviewed in time"},
    )
    from_date = DateField(
        label="First day on which they are contacted", required=False, help_text="Only needed to contact them anyway."
    )
    reason = forms.CharField(
        label="Why?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": "Enter why you decide this",
            "max_length": "The reason must be 500 characters or fewer",
        },
    )

    def decision(self) -> dict[str, Any]:
        """Returns what `cohort.actions.late.decide_about_late` takes of a valid form."""
        found = self.cleaned_data
        return {
            "policy": LatePolicy(found["policy"]),
            "from_date": found["from_date"],
            "reason": found["reason"],
        }

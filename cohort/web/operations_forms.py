"""Forms of the central operator's pages."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone

from cohort.queries.oversight import care_systems
from shielding.fields import DateField


class StartSearchForm(forms.Form):
    """From which day ages and windows are counted, and why old records are good enough if they are old."""

    search_date = DateField(
        label="Search date",
        help_text="Ages and time windows are counted back from this day.",
        not_after=timezone.localdate,
    )
    stale_sources_reason = forms.CharField(
        label="Why records older than the limit are good enough",
        help_text="Only needed where a source is older than the limit.",
        required=False,
        max_length=300,
    )
    is_full_wanted = forms.BooleanField(
        label="Search everybody anew",
        help_text="Slower. Otherwise, where it can, the search looks only at people for whom something has changed.",
        required=False,
    )


class DifferenceForm(forms.Form):
    """Which disease group and which integrated care system to look at; what is not known counts as not chosen."""

    group = forms.ChoiceField(label="Disease group", required=False)
    ics = forms.ModelChoiceField(
        care_systems(),
        label="Integrated care system",
        required=False,
        empty_label="All of them",
    )

    def __init__(self, *args: Any, groups: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].choices = [("", "All groups"), *((group, group) for group in groups)]  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Returns `group` ('' for all) and `ics` (an id, or None for all)."""
        self.is_valid()
        ics = self.cleaned_data.get("ics")
        return {"group": self.cleaned_data.get("group", ""), "ics": ics.pk if ics else None}

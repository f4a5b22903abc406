"""Forms of the central operator's pages."""

from django import forms
from django.utils import timezone

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

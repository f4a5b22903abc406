"""The form of an example person: who they are, what is expected, and their records row by row."""

from datetime import date
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils import timezone

from cohort.codelists import system_named
from cohort.models import CodeListCode, CodeListVersion, Criterion, CriterionDraft
from cohort.queries import codelists as codelist_queries
from cohort.search.assurance import Case
from cohort.search.criteria import SEX_WORDS
from cohort.search.reference import Person, Record
from cohort.search.terms import EARLIEST_DATE, SexCode, Source
from cohort.web.clause_fields import say_what_to_enter
from shielding.fields import DateField

FIRST_ROWS = 4
MORE_ROWS = 4
MOST_ROWS = 40
#: How many codes a search by term shows.
MOST_TERMS = 40


class RecordForm(forms.Form):
    """One record of an example person. Empty rows are left out."""

    code = forms.CharField(label="Code", required=False, max_length=60)
    date = DateField(label="Date", required=False)
    source = forms.ChoiceField(
        label="Source",
        required=False,
        choices=[("", "Choose"), ("GP", "GP records"), ("MEDICINES", "Dispensed medicines"), ("HOSPITAL", "Hospital")],
    )
    episode = forms.CharField(label="Hospital episode", required=False, max_length=64)
    value = forms.FloatField(label="Value", required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    #: Whether somebody is saving, so that what is wrong is told.
    errors_are_told = True

    @property
    def errors(self) -> ErrorDict:
        """What is wrong, once somebody is saving."""
        return super().errors if self.errors_are_told else ErrorDict()

    def clean(self) -> dict[str, Any]:
        """Asks for what a record needs, where any of it is there."""
        data = self.cleaned_data
        if not self.has_changed():
            return data
        if not data.get("code"):
            self.add_error("code", "Enter the code")
        if not data.get("date") and "date" not in self.errors:
            self.add_error("date", "Enter the date")
        if data.get("date") and data["date"] < EARLIEST_DATE:
            self.add_error("date", "Date must be 1 January 1900 or later")
        if not data.get("source"):
            self.add_error("source", "Select the source")
        if data.get("episode") and data.get("source") not in ("", "HOSPITAL"):
            self.add_error("episode", "Only hospital records have an episode")
        return data


class CaseForm(forms.Form):
    """An example person. `rows` are the forms of their records; `terms` the codes that a search by term found."""

    name = forms.CharField(
        label="Name of the example", max_length=200, help_text="Such as “Three dispensings, not four”."
    )
    expected = forms.ChoiceField(
        label="Should they meet the criterion?",
        choices=[("yes", "Yes"), ("no", "No")],
        widget=forms.RadioSelect,
        error_messages={"required": "Select whether they should meet the criterion"},
    )
    why = forms.CharField(
        label="Why", max_length=1000, help_text="What the example is there to prove.",
        error_messages={"required": "Enter why"},
    )  # fmt: skip
    birth_date = DateField(label="Date of birth")
    sex = forms.ChoiceField(
        label="Sex as recorded",
        choices=[(code.value, SEX_WORDS[code]) for code in SexCode],
        widget=forms.RadioSelect,
        error_messages={"required": "Select a sex"},
    )
    search_date = DateField(label="Search date", help_text="Ages and windows are counted back from this day.")
    term = forms.CharField(label="Find a code by its term", required=False, max_length=100)

    def __init__(self, data: QueryDict | None, *, criterion: Criterion, draft: CriterionDraft | None) -> None:
        super().__init__(data or None, initial={"search_date": timezone.localdate()})
        say_what_to_enter(self)
        self.lists = _lists(criterion, draft)
        posted = data or QueryDict()
        asked = posted.get("rows") or ""
        count = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else FIRST_ROWS
        count = min(count + (MORE_ROWS if "more" in posted else 0), MOST_ROWS)
        self.rows = [
            RecordForm(data or None, prefix=f"record{n}", empty_permitted=True, use_required_attribute=False)
            for n in range(count)
        ]
        if posted and "save" not in posted:
            # Asking for more rows, or for a code, is not saving: nothing is wrong yet.
            self._errors = ErrorDict()
            for row in self.rows:
                row.errors_are_told = False
        self.terms = self._found((posted.get("term") or "").strip())

    def _found(self, term: str) -> list[CodeListCode]:
        if not term:
            return []
        return codelist_queries.codes_like(self.lists, term, most=MOST_TERMS)

    def is_valid(self) -> bool:
        """Says whether the person and every record of theirs is in order."""
        rows_are_valid = [row.is_valid() for row in self.rows]
        is_valid = super().is_valid() and all(rows_are_valid)
        if is_valid:
            self._records = [record for row in self.rows if row.has_changed() and (record := self._record(row))]
            return not self.errors and not any(row.errors for row in self.rows)
        return False

    def clean(self) -> dict[str, Any]:
        """Refuses somebody born after the search."""
        data = self.cleaned_data
        if data.get("birth_date") and data.get("search_date") and data["birth_date"] > data["search_date"]:
            self.add_error("birth_date", "Date of birth must not be after the search date")
        return data

    def _record(self, row: RecordForm) -> Record | None:
        data = row.cleaned_data
        system = self._system(data["code"])
        if system is None:
            row.add_error("code", "Enter a code of this criterion's lists, or its system too: SNOMED 195967001")
            return None
        code = data["code"].split()[-1]
        return Record(system, code, data["date"], Source(data["source"]), data["episode"], data["value"])

    def _system(self, typed: str) -> str | None:
        """Returns the system typed before the code, else the one in which the lists have the code."""
        *before, code = typed.split()
        if before:
            return system_named(" ".join(before))
        systems = codelist_queries.systems_of(self.lists, code)
        return systems[0] if len(systems) == 1 else None

    def case(self) -> Case:
        """Returns the example person, once the form is valid."""
        data = self.cleaned_data
        person = Person(data["birth_date"], SexCode(data["sex"]), tuple(self._records))
        searched: date = data["search_date"]
        return Case(data["name"], person, searched, data["expected"] == "yes", data["why"])


def _lists(criterion: Criterion, draft: CriterionDraft | None) -> list[CodeListVersion]:
    """Returns the versions of code lists that the draft reads, else those in force."""
    if draft is not None:
        return list(draft.revisions.get(number=draft.revision_number).code_lists.all())
    newest = criterion.versions.order_by("-number").first()
    return list(newest.code_lists.all()) if newest else []

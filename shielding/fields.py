"""Form fields of the NHS.UK design system that Django lacks: the date in three boxes."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

PARTS = ("day", "month", "year")
EARLIEST_YEAR = 1850


class DateInput(forms.MultiWidget):
    """Day, month and year as text boxes named `<name>_day`, `<name>_month`, `<name>_year`."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(dict.fromkeys(PARTS, forms.TextInput), attrs)

    def decompress(self, value: datetime.date | None) -> list[str]:
        """Returns day, month and year as typed, or three empty strings."""
        return [str(value.day), str(value.month), str(value.year)] if value else ["", "", ""]


class DateField(forms.Field):
    """A date typed as day, month and year.

    Cleans to a `datetime.date`, or None where it is not required and all three boxes are empty.
    Errors say what is wrong in the words of the label, and their code names the boxes to mark
    (`day month`). `not_after` (a date, or a function that returns one) refuses later dates.
    """

    widget = DateInput

    def __init__(self, *, not_after: Any = None, **options: Any) -> None:
        self.not_after = not_after
        super().__init__(**options)

    @property
    def _name(self) -> str:
        return str(self.label or "The date")

    def clean(self, value: Any) -> datetime.date | None:
        """Returns the date, or raises ValidationError."""
        typed = [(part or "").strip() for part in value or ["", "", ""]]
        missing = [part for part, text in zip(PARTS, typed, strict=True) if not text]
        if len(missing) == len(PARTS):
            if self.required:
                raise ValidationError(f"Enter {_lower_first(self._name)}", code=" ".join(PARTS))
            return None
        if missing:
            raise ValidationError(f"{self._name} must include a {' and '.join(missing)}", code=" ".join(missing))
        not_numbers = [part for part, text in zip(PARTS, typed, strict=True) if not _is_number(text)]
        if not_numbers:
            raise ValidationError(f"{self._name} must be numbers, such as 27 3 2020", code=" ".join(not_numbers))
        day, month, year = (int(text) for text in typed)
        if len(typed[2]) != 4 or year < EARLIEST_YEAR:
            raise ValidationError(f"{self._name} must have a year of 4 numbers, such as 1948", code="year")
        if not 1 <= month <= 12:
            raise ValidationError(f"{self._name} must have a month from 1 to 12", code="month")
        try:
            date = datetime.date(year, month, day)
        except ValueError as error:
            raise ValidationError(f"{self._name} must be a real date", code="day") from error
        latest = self.not_after() if callable(self.not_after) else self.not_after
        if latest and date > latest:
            raise ValidationError(f"{self._name} must be {latest.day} {latest:%B %Y} or earlier", code=" ".join(PARTS))
        self.run_validators(date)
        return date

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Says whether what was typed is another date than `initial`."""
        return DateInput().decompress(initial) != [(part or "").strip() for part in data or ["", "", ""]]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]

"""The macros of every page: whatever field a form has, label, hint, error and box belong together."""

import datetime
import re
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory

from shielding.fields import DateField

COLOURS = [("r", "Red"), ("g", "Green")]


class Everything(forms.Form):
    text = forms.CharField(help_text="As on the card.")
    email = forms.EmailField()
    secret = forms.CharField(widget=forms.PasswordInput)
    number = forms.IntegerField()
    words = forms.CharField(widget=forms.Textarea)
    choice = forms.ChoiceField(choices=COLOURS)
    radio = forms.ChoiceField(choices=COLOURS, widget=forms.RadioSelect)
    boxes = forms.MultipleChoiceField(choices=COLOURS, widget=forms.CheckboxSelectMultiple)
    sure = forms.BooleanField()
    born = DateField(label="Date of birth", not_after=datetime.date(2020, 3, 1))
    file = forms.FileField()
    note = forms.CharField(required=False)
    hidden = forms.CharField(widget=forms.HiddenInput, required=False)


def render(source: str, **context: Any) -> str:
    return engines["jinja2"].from_string('{% import "macros.html" as m %}' + source).render(context)


def ids(html: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', html))


@pytest.mark.parametrize("name", [name for name in Everything.base_fields if name != "hidden"])
def test_an_error_is_tied_to_its_box_and_reached_from_the_summary(name: str) -> None:
    form = Everything({})
    form.is_valid()
    if name == "note":
        form.add_error("note", "Say more")
    html = render("{{ m.field(form[name]) }}", form=form, name=name)
    found = ids(html)
    for described in re.findall(r'aria-describedby="([^"]+)"', html):
        assert set(described.split()) <= found
    assert f"id_{name}-error" in found
    assert all(target in found for target in re.findall(r'<label[^>]* for="([^"]+)"', html))
    summary = render("{{ m.error_summary(form) }}", form=form)
    assert any(link in found for link in re.findall(r'href="#([^"]+)"', summary))


def test_hint_and_values_are_shown() -> None:
    form = Everything(
        initial={
            "text": "<b>Amina</b>",
            "number": 0,
            "secret": "never",
            "choice": "g",
            "radio": "g",
            "boxes": ["r"],
            "sure": True,
            "born": datetime.date(1948, 3, 7),
            "words": "Line",
        }
    )
    html = render("{% for f in form %}{{ m.field(f) }}{% endfor %}", form=form)
    assert "As on the card." in html
    assert "&lt;b&gt;Amina&lt;/b&gt;" in html
    assert "<b>Amina" not in html
    assert "never" not in html
    assert 'value="0"' in html
    assert re.search(r'value="g"\s+selected', html)
    assert re.search(r'name="radio"[^>]*value="g"\s+checked', html)
    assert re.search(r'name="boxes"[^>]*value="r"\s+checked', html)
    assert re.search(r'name="sure"[^>]*checked', html)
    assert re.search(r'name="born_day"[^>]*value="7"', html)
    assert re.search(r'name="born_year"[^>]*value="1948"', html)
    assert "Note (optional)" in html
    assert 'type="hidden" name="hidden"' in html


def test_no_summary_without_errors() -> None:
    assert render("{{ m.error_summary(form) }}", form=Everything()).strip() == ""


def test_an_error_of_the_whole_form_comes_first() -> None:
    form = Everything({})
    form.is_valid()
    form.add_error(None, "The list was sent in meanwhile")
    summary = render("{{ m.error_summary(form) }}", form=form)
    assert summary.index("The list was sent in meanwhile") < summary.index("#id_email")


@pytest.mark.parametrize(
    ("typed", "error", "boxes"),
    [
        (("", "", ""), "Enter date of birth", "day month year"),
        (("7", "", "1948"), "Date of birth must include a month", "month"),
        (("", "", "1948"), "Date of birth must include a day and month", "day month"),
        (("7", "March", "1948"), "Date of birth must be numbers, such as 27 3 2020", "month"),
        (("7", "3", "48"), "Date of birth must have a year of 4 numbers, such as 1948", "year"),
        (("7", "13", "1948"), "Date of birth must have a month from 1 to 12", "month"),
        (("30", "2", "1948"), "Date of birth must be a real date", "day"),
        (("2", "3", "2020"), "Date of birth must be 1 March 2020 or earlier", "day month year"),
        (("\u0667", "3", "1948"), "Date of birth must be numbers, such as 27 3 2020", "day"),
    ],
)
def test_a_wrong_date_is_told(typed: tuple[str, str, str], error: str, boxes: str) -> None:
    form = Everything(dict(zip(("born_day", "born_month", "born_year"), typed, strict=True)))
    assert form.errors["born"] == [error]
    html = render("{{ m.field(form.born) }}", form=form)
    marked = re.findall(r'class="[^"]*nhsuk-input--error[^"]*" id="id_born_(\w+)"', html)
    assert marked == boxes.split()
    assert f'href="#id_born_{boxes.split()[0]}"' in render("{{ m.error_summary(form) }}", form=form)


def test_a_right_date_is_a_date() -> None:
    form = Everything({"born_day": " 07", "born_month": "3", "born_year": "1948"})
    form.is_valid()
    assert form.cleaned_data["born"] == datetime.date(1948, 3, 7)


def test_pages_keep_the_filter() -> None:
    request = RequestFactory().get("/list", {"state": ["WAITING", "ADDED"], "page": "2"})
    page = Paginator(range(200), 10).page(2)
    html = render("{{ m.pagination(page, request) }}", page=page, request=request)
    assert 'href="?state=WAITING&amp;state=ADDED&amp;page=3"' in html
    assert 'aria-current="page"' in html
    one = Paginator(range(3), 10).page(1)
    assert render("{{ m.pagination(page, request) }}", page=one, request=request).strip() == ""


def test_summary_lists_what_is_known_and_what_is_not() -> None:
    html = render("{{ m.summary([('Name', 'Amina'), ('Phone', ''), ('Tries', 0), ('Post', 'x', '/post')]) }}")
    assert "Not recorded" in html
    assert re.search(r"value[^>]*>\s*0\s*<", html)
    assert 'href="/post"' in html

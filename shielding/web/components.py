"""Turns Django forms and pages into what NHS.UK's macros take. `templates/macros.html` calls these."""

from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.forms.boundfield import BoundField
from django.http import HttpRequest

from shielding.fields import PARTS, DateInput

#: Attributes of a widget that are ours to set, or that NHS.UK's guidance leaves out.
_DROPPED_ATTRIBUTES = {"id", "class", "required", "placeholder", "autofocus", "rows", "cols", "type"}
_SINGLE_INPUTS = {"text", "email", "number", "tel", "search", "url"}


def component(bound: BoundField, *, hint: str | None = None, mark_optional: bool = True) -> dict[str, Any]:
    """Returns what a NHS.UK component is told about a bound field.

    `kind` is one of input, password, textarea, select, radios, checkboxes, checkbox, date, file,
    hidden, other; the rest are the parameters that all kinds share, and `items` where there is a choice.
    """
    widget = bound.field.widget
    kind = _kind(widget)
    attributes = {name: value for name, value in widget.attrs.items() if name not in _DROPPED_ATTRIBUTES}
    label = str(bound.label)
    if mark_optional and not bound.field.required and kind != "checkbox" and "optional" not in label:
        label = f"{label} (optional)"
    errors = bound.errors
    found: dict[str, Any] = {
        "kind": kind,
        "id": bound.auto_id or bound.html_name,
        "name": bound.html_name,
        "label": label,
        "hint": text_or_html(hint or bound.help_text),
        "error": {"text": " ".join(str(error) for error in errors)} if errors else None,
        "classes": widget.attrs.get("class", ""),
        "attributes": attributes,
        "disabled": bound.field.disabled,
    }
    if kind in {"select", "radios", "checkboxes"}:
        found["items"] = _choices(bound)
    elif kind == "date":
        found["items"] = _date_items(bound)
    elif kind == "checkbox":
        found["checked"] = bool(bound.value())
    elif kind in {"input", "textarea", "password"}:
        value = bound.value()
        found["value"] = "" if value is None or kind == "password" else str(widget.format_value(value) or "")
        found["type"] = widget.attrs.get("type") or getattr(widget, "input_type", "text")
        for name in ("autocomplete", "inputmode", "spellcheck", "autocapitalize", "pattern"):
            found[name] = attributes.pop(name, None)
        found["rows"] = widget.attrs.get("rows")
    return found


def _kind(widget: forms.Widget) -> str:
    kinds: list[tuple[type, str]] = [
        (DateInput, "date"),
        (forms.HiddenInput, "hidden"),
        (forms.MultipleHiddenInput, "hidden"),
        (forms.CheckboxSelectMultiple, "checkboxes"),
        (forms.RadioSelect, "radios"),
        (forms.CheckboxInput, "checkbox"),
        (forms.Select, "select"),
        (forms.Textarea, "textarea"),
        (forms.FileInput, "file"),
        (forms.PasswordInput, "password"),
        (forms.widgets.Input, "input"),
    ]
    return next((kind for sort, kind in kinds if isinstance(widget, sort)), "other")


def text_or_html(text: Any) -> dict[str, Any] | None:
    """Returns `{"html": ...}` for markup, `{"text": ...}` for anything else, None for nothing."""
    if text is None or text == "":
        return None
    return {"html": text} if hasattr(text, "__html__") else {"text": str(text)}


def _choices(bound: BoundField) -> list[dict[str, Any]]:
    return [
        {
            "value": str(choice.data["value"]),
            "text": str(choice.data["label"]),
            "checked": bool(choice.data["selected"]),
            "selected": bool(choice.data["selected"]),
        }
        for choice in bound.subwidgets
    ]


def _date_items(bound: BoundField) -> list[dict[str, Any]]:
    value = bound.value()
    typed = value if isinstance(value, list) else bound.field.widget.decompress(value)
    wrong = set(PARTS) if bound.errors else set()
    for error in bound.form.errors.as_data().get(bound.name, []):
        wrong = set((error.code or "").split()) & set(PARTS) or wrong
    return [
        {
            "name": f"{bound.html_name}_{part}",
            "id": f"{bound.auto_id}_{part}",
            "label": part.capitalize(),
            "value": text or "",
            "width": 4 if part == "year" else 2,
            "error": part in wrong,
            "autocomplete": f"bday-{part}" if bound.field.widget.attrs.get("autocomplete") == "bday" else None,
        }
        for part, text in zip(PARTS, typed, strict=True)
    ]


def error_items(*some_forms: Any) -> list[dict[str, str]]:
    """Returns the error summary's lines: first what is wrong with the whole, then field by field.

    A line has `text`, and `href` to the box to mend; what is wrong with the whole leads to the first box.
    """
    lines: list[dict[str, str]] = []
    for form in some_forms:
        if not form or not getattr(form, "errors", None):
            continue
        boxes = [bound for bound in form.visible_fields() if bound.auto_id]
        start = {"href": f"#{_first_box(boxes[0])}"} if boxes else {}
        lines += [{"text": str(error), **start} for error in form.non_field_errors()]
        for bound in form:
            if not bound.errors:
                continue
            text = " ".join(str(error) for error in bound.errors)
            lines.append({"text": text} if bound.is_hidden else {"text": text, "href": f"#{_first_box(bound)}"})
    return lines


def _first_box(bound: BoundField) -> str:
    """Returns the id of the box to go to: of a date, the first that is wrong."""
    if isinstance(bound.field.widget, DateInput):
        items = _date_items(bound)
        return next((item["id"] for item in items if item["error"]), items[0]["id"])
    return bound.auto_id or bound.html_name


def page_links(page: Page[Any], request: HttpRequest) -> dict[str, Any] | None:
    """Returns the parameters of NHS.UK's pagination, or None where there is one page only.

    Every link keeps the other query parameters, so that a filtered list stays filtered.
    """
    if page.paginator.num_pages < 2:
        return None

    def link(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    found: dict[str, Any] = {"items": []}
    if page.has_previous():
        found["previous"] = {"href": link(page.previous_page_number())}
    if page.has_next():
        found["next"] = {"href": link(page.next_page_number())}
    for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1):
        if str(number) == str(Paginator.ELLIPSIS):
            found["items"].append({"ellipsis": True})
        else:
            found["items"].append({"number": number, "href": link(int(number)), "current": number == page.number})
    return found

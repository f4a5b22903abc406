"""The JSON form of a criterion: read from the dataclasses themselves, so that a new clause needs no code here.

A clause is an object whose `clause` names its kind, such as `{"clause": "AGE", ...}`. A field that has
its default value is left out, so that a field added later does not change criteria already published.
"""

import dataclasses
import re
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from cohort.search.criteria import Clause, Criterion
from cohort.search.terms import BadValue, CriterionError, MissingField, UnknownClause, UnknownField, WrongType

_DEEPEST = 20
T = TypeVar("T")
_TYPE_WORDS = {str: "a text", int: "a whole number", float: "a number", list: "a list", dict: "an object"}


def _kind(clause: type) -> str:
    return re.sub(r"(?<=.)(?=[A-Z])", "_", clause.__name__).upper()


_CLAUSES: dict[str, type] = {_kind(clause): clause for clause in get_args(Clause)}
_KINDS = {clause: kind for kind, clause in _CLAUSES.items()}


def to_json(criterion: Criterion) -> dict[str, Any]:
    """Returns the criterion as an object that `json` can write; `from_json` gives the same criterion back."""
    written: dict[str, Any] = _encode(criterion)
    return written


def from_json(data: object) -> Criterion:
    """Returns the criterion that the object describes.

    Raises a CriterionError (MissingField, UnknownField, UnknownClause, WrongType or BadValue) whose
    `path` says where.
    """
    return _decode_fields(Criterion, data, 0)


def _encode(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    written: dict[str, Any] = {"clause": _KINDS[type(value)]} if type(value) in _KINDS else {}
    for each in dataclasses.fields(value):
        held = getattr(value, each.name)
        if held != each.default:
            written[each.name] = _encode(held)
    return written


def _decode(hint: Any, data: object, depth: int) -> Any:
    if hint == Clause:
        return _decode_clause(data, depth + 1)
    if get_origin(hint) is UnionType or NoneType in get_args(hint):
        return _decode_union(get_args(hint), data, depth)
    if get_origin(hint) is tuple:
        return _decode_items(get_args(hint)[0], data, depth)
    if dataclasses.is_dataclass(hint):
        return _decode_fields(hint, data, depth)  # type: ignore[arg-type]
    if issubclass(hint, Enum):
        choices = [member.value for member in hint]
        if data not in choices:
            raise BadValue("", f"must be one of {', '.join(choices)}")
        return hint(data)
    if hint is date:
        return _decode_date(data)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    return _typed(hint, data)


def _decode_union(hints: tuple[Any, ...], data: object, depth: int) -> Any:
    """Takes the kind that has most of the fields given: `length` is of a window, `first` of a fixed one."""
    if data is None and NoneType in hints:
        return None
    kinds = [hint for hint in hints if hint is not NoneType]
    if isinstance(data, dict) and len(kinds) > 1:
        kinds.sort(key=lambda kind: -len({each.name for each in dataclasses.fields(kind)} & data.keys()))
    return _decode(kinds[0], data, depth)


def _decode_date(data: object) -> date:
    try:
        return date.fromisoformat(_typed(str, data))
    except ValueError:
        raise BadValue("", "must be a date such as 2020-03-20") from None


def _typed(wanted: type, data: object) -> Any:
    if not isinstance(data, wanted) or isinstance(data, bool):
        raise WrongType("", f"must be {_TYPE_WORDS[wanted]}")
    return data


def _decode_items(hint: Any, data: object, depth: int) -> tuple[Any, ...]:
    items = []
    for index, item in enumerate(_typed(list, data)):
        try:
            items.append(_decode(hint, item, depth))
        except CriterionError as error:
            raise error.beneath(f"[{index}]") from None
    return tuple(items)


def _decode_clause(data: object, depth: int) -> Any:
    if depth > _DEEPEST:
        raise BadValue("", f"clauses may be nested {_DEEPEST} deep at most")
    given = dict(_typed(dict, data))
    if "clause" not in given:
        raise MissingField("clause", f"must be there: one of {', '.join(_CLAUSES)}")
    kind = given.pop("clause")
    if not isinstance(kind, str) or kind not in _CLAUSES:
        raise UnknownClause("clause", f"must be one of {', '.join(_CLAUSES)}")
    return _decode_fields(_CLAUSES[kind], given, depth)


def _decode_fields(wanted: type[T], data: object, depth: int) -> T:
    given = _typed(dict, data)
    hints = get_type_hints(wanted)
    fields = {each.name: each for each in dataclasses.fields(wanted)}  # type: ignore[arg-type]
    for name in given:
        if name not in fields:
            raise UnknownField(str(name), f"is not a field here; there are {', '.join(fields)}")
    values = {}
    for name, each in fields.items():
        if name in given:
            try:
                values[name] = _decode(hints[name], given[name], depth)
            except CriterionError as error:
                raise error.beneath(name) from None
        elif each.default is dataclasses.MISSING:
            raise MissingField(name, "must be there")
    return wanted(**values)

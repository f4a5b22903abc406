"""The marks a template is written in, and what one person's letter or text says.

Paragraphs are set apart by an empty line; line ends inside one mean nothing. In letters a paragraph
that begins with `# ` is a heading, lines that begin with `* ` are items of a list, and a paragraph
`---` begins a new page. `((name))` is replaced by the person's value. `((working_age?? ... ))` is kept
only for those it is true of, and may hold paragraphs and placeholders.

Values are put in after the marks are read, so nothing in a name can become a mark. Pure.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cohort.rules import Channel

#: What a template may ask for, by channel.
PLACEHOLDERS: Mapping[Channel, frozenset[str]] = {
    Channel.LETTER: frozenset(
        {
            "name",
            "date",
            "practice_name",
            "practice_phone",
            "sender_name",
            "sender_phone",
            "coordinator_name",
            "coordinator_phone",
        }
    ),
    # A text may be read by whoever holds the phone, so it does not name whom it is for.
    Channel.SMS: frozenset({"practice_name", "practice_phone", "coordinator_phone"}),
}
#: What a part may depend on.
CONDITIONS: Mapping[Channel, frozenset[str]] = {
    Channel.LETTER: frozenset({"working_age", "practice_has_phone", "sender_has_phone", "coordinator_has_phone"}),
    Channel.SMS: frozenset({"practice_has_phone", "coordinator_has_phone"}),
}
#: Domain, section 7: no links that look like phishing.
_LINK = re.compile(r"https?:|www\.|bit\.ly|\S\.(?:com|net|org|co|info|uk)(?:/|\b)", re.IGNORECASE)
_TOKEN = re.compile(r"\(\((\w+)\?\?|\(\((\w+)\)\)|\)\)|\(\(")
_PLACEHOLDER = re.compile(r"\(\((\w+)\)\)")


@dataclass(frozen=True)
class Block:
    """One paragraph, heading, list or page break of a letter."""

    kind: Literal["paragraph", "heading", "list", "page"]
    text: str = ""
    items: tuple[str, ...] = ()


def problems(body: str, channel: Channel, *, subject: str = "") -> list[str]:
    """Returns what is wrong with a template in words fit to show; empty when it can be used."""
    found: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(body):
        condition, placeholder = token.groups()
        if condition:
            depth += 1
            if condition not in CONDITIONS[channel]:
                found.append(f"There is no condition called “{condition}”. {_known(CONDITIONS[channel])}")
        elif placeholder:
            if placeholder not in PLACEHOLDERS[channel]:
                found.append(f"There is no placeholder called “{placeholder}”. {_known(PLACEHOLDERS[channel])}")
        elif token.group() == "((":
            found.append("“((” must be followed by the name of a placeholder and “))”.")
        elif depth == 0:
            found.append("“))” closes nothing.")
        else:
            depth -= 1
    if depth:
        found.append("A part that begins with “((condition??” is not closed with “))”.")
    if not body.strip():
        found.append("The template is empty.")
    if channel is Channel.LETTER and not subject.strip():
        found.append("A letter needs a heading: it is also the title of the PDF.")
    if channel is Channel.SMS and _LINK.search(body):
        found.append("A text may not hold a link: people cannot tell it from a fraudulent one.")
    if _TOKEN.search(subject):
        found.append("The heading is the same for everybody: it may not hold placeholders.")
    return found


def translation_problems(body: str, english: str, channel: Channel, *, subject: str = "") -> list[str]:
    """Returns what is wrong with a translation of `english`, in words fit to show.

    It must hold the same placeholders and conditions: a number to call must not get lost on the way.
    """
    found = problems(body, channel, subject=subject)
    wanted, has = _marks(english), _marks(body)
    found += [f"The English has “{mark}”, and the translation does not." for mark in sorted(wanted - has)]
    found += [f"The translation has “{mark}”, and the English does not." for mark in sorted(has - wanted)]
    return found


def _marks(body: str) -> set[str]:
    tokens = (token.groups() for token in _TOKEN.finditer(body))
    return {f"(({condition}??" if condition else f"(({name}))" for condition, name in tokens if condition or name}


@lru_cache(maxsize=256)
def asks_for(body: str, beginning: str) -> bool:
    """Returns whether any placeholder or condition of a template begins so, such as `coordinator_`."""
    return any(mark.startswith(f"(({beginning}") for mark in _marks(body))


def without_marks(body: str) -> str:
    """Returns a template's own words, without the names of placeholders and conditions."""
    return _TOKEN.sub(" ", body)


def tidy(body: str) -> str:
    """Returns a template as it is kept: no white space around it, and one sort of line end, whatever browsers send."""
    return "\n".join(line.rstrip() for line in body.strip().splitlines())


def _known(names: Collection[str]) -> str:
    return f"Known are: {', '.join(sorted(names))}."


def letter_blocks(body: str, values: Mapping[str, str], conditions: Collection[str]) -> list[Block]:
    """Returns one person's letter. `conditions` are those true of them. Raises KeyError on an unknown placeholder."""
    return [
        Block(block.kind, _fill(block.text, values), tuple(_fill(item, values) for item in block.items))
        for block in _blocks(body, frozenset(conditions))
    ]


def text_message(body: str, values: Mapping[str, str], conditions: Collection[str]) -> str:
    """Returns one person's text, paragraphs set apart by an empty line."""
    return _fill("\n\n".join(_paragraphs(_kept(body, frozenset(conditions)))), values)


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


@lru_cache(maxsize=256)
def _blocks(body: str, conditions: frozenset[str]) -> tuple[Block, ...]:
    made: list[Block] = []
    for lines in _line_groups(_kept(body, conditions)):
        joined = " ".join(lines)
        if joined == "---":
            made.append(Block("page"))
        elif joined.startswith("# "):
            made.append(Block("heading", joined[2:]))
        elif lines[0].startswith("* "):
            items: list[str] = []
            for line in lines:
                if line.startswith("* "):
                    items.append(line[2:])
                else:
                    items[-1] += f" {line}"
            made.append(Block("list", items=tuple(items)))
        else:
            made.append(Block("paragraph", joined))
    return tuple(made)


def _line_groups(text: str) -> list[list[str]]:
    groups = [[line.strip() for line in group.splitlines() if line.strip()] for group in re.split(r"\n\s*\n", text)]
    return [group for group in groups if group]


def _paragraphs(text: str) -> list[str]:
    return [" ".join(group) for group in _line_groups(text)]


def _kept(body: str, conditions: frozenset[str]) -> str:
    """Returns the body without the parts whose condition does not hold, placeholders left as they are."""
    kept: list[str] = []
    open_parts: list[bool] = []
    place = 0
    for token in _TOKEN.finditer(body):
        condition, placeholder = token.groups()
        if all(open_parts):
            kept.append(body[place : token.start()])
            if placeholder:
                kept.append(token.group())
        place = token.end()
        if condition:
            open_parts.append(condition in conditions)
        elif token.group() == "))":
            open_parts.pop()
    kept.append(body[place:])
    return "".join(kept)

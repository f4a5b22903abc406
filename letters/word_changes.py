"""What changed between two versions of a template's words, paragraph by paragraph. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_NEW_PARAGRAPH, _NEW_ITEM = "\n\n", "\n"
_TOKEN = re.compile(r"\n\s*\n|\n(?=\* )|\S+")


@dataclass(frozen=True)
class Run:
    """Some words that stayed, went or came."""

    kind: Literal["same", "gone", "new"]
    text: str


def paragraphs(before: str, after: str) -> list[list[list[Run]]]:
    """Returns paragraphs of lines of runs; only the items of a list have lines of their own.

    Where a paragraph's end came or went, its words stand where they were before.
    """
    found: list[list[list[Run]]] = [[[]]]
    old, new = _tokens(before), _tokens(after)
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            _add(found, "same", new[k:m])
        else:
            _add(found, "gone", old[i:j])
            _add(found, "new", new[k:m])
    return [[line for line in paragraph if line] for paragraph in found if any(paragraph)]


def _tokens(words: str) -> list[str]:
    found = [token.group() for token in _TOKEN.finditer(words.strip())]
    return [each if each.strip() or each == _NEW_ITEM else _NEW_PARAGRAPH for each in found]


def _add(to: list[list[list[Run]]], kind: Literal["same", "gone", "new"], tokens: list[str]) -> None:
    words: list[str] = []

    def close() -> None:
        if words:
            to[-1][-1].append(Run(kind, " ".join(words)))
            words.clear()

    for token in tokens:
        if token == _NEW_PARAGRAPH:
            close()
            to.append([[]])
        elif token == _NEW_ITEM:
            close()
            to[-1].append([])
        else:
            words.append(token)
    close()

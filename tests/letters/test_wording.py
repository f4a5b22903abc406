"""The marks of templates: what is refused, what is kept, and that values never become marks."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.rules import Channel
from letters.actions.templates import SHIPPED
from letters.rules import text_fragments
from letters.wording import Block, letter_blocks, problems, text_message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Dear ((name))", None),
        ("((working_age??Show this to ((practice_name)))) and on", None),
        ("Dear ((nmae))", "no placeholder called “nmae”"),
        ("Dear ((name)", "must be followed by"),
        ("Dear (( name ))", "must be followed by"),
        ("Dear name))", "closes nothing"),
        ("((working_age??Show this", "not closed"),
        ("((old??Show this))", "no condition called “old”"),
        ("((nhs_number))", "no placeholder called “nhs_number”"),
        ("  ", "empty"),
        ("Prices (see below) are f(x)", None),
    ],
)
def test_what_is_wrong_with_a_letter_is_said(body: str, expected: str | None) -> None:
    found = problems(body, Channel.LETTER, subject="Advice")
    assert (not found) if expected is None else expected in " ".join(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("NHS: stay at home", None),
        ("NHS, for ((practice_name)): call ((practice_phone)).", None),
        ("Dear ((name))", "no placeholder called “name”"),  # whoever holds the phone reads it
        ("Go to https://example.test/x", "may not hold a link"),
        ("Go to www.nhs.uk", "may not hold a link"),
        ("Go to bit.ly/abc", "may not hold a link"),
        ("See nhs.uk/advice", "may not hold a link"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(body: str, expected: str | None) -> None:
    found = problems(body, Channel.SMS)
    assert (not found) if expected is None else expected in " ".join(found)


def test_a_letter_needs_a_heading_without_placeholders() -> None:
    assert "needs a heading" in problems("Hello", Channel.LETTER)[0]
    assert "may not hold placeholders" in problems("Hello", Channel.LETTER, subject="For ((name))")[0]


BODY = """Dear ((name)),
how are you?

# What to do

* Stay at
  home
* Wash ((name))'s hands

((working_age??
---

# For work

Show ((name))'s boss.
))

Bye"""


def test_the_marks_make_blocks() -> None:
    assert letter_blocks(BODY, {"name": "Amina"}, {"working_age"}) == [
        Block("paragraph", "Dear Amina, how are you?"),
        Block("heading", "What to do"),
        Block("list", items=("Stay at home", "Wash Amina's hands")),
        Block("page"),
        Block("heading", "For work"),
        Block("paragraph", "Show Amina's boss."),
        Block("paragraph", "Bye"),
    ]


def test_a_part_is_left_out_for_those_it_is_not_true_of() -> None:
    blocks = letter_blocks(BODY, {"name": "Amina"}, set())
    assert [block.kind for block in blocks] == ["paragraph", "heading", "list", "paragraph"]


def test_parts_in_parts_need_both() -> None:
    body = "a((working_age?? b((practice_has_phone?? c)))) d"
    said = {frozenset(c): text_message(body, {}, c) for c in ((), ("working_age",), ("practice_has_phone",))}
    assert list(said.values()) == ["a d", "a b d", "a d"]
    assert text_message(body, {}, {"working_age", "practice_has_phone"}) == "a b c d"


@given(st.text(max_size=60))
def test_a_name_never_becomes_a_mark(name: str) -> None:
    blocks = letter_blocks("((name))\n\n* ((name))\n\n# ((name))", {"name": name}, set())
    assert blocks == [Block("paragraph", name), Block("list", items=(name,)), Block("heading", name)]
    tricky = "((name)) # * --- ((working_age?? " + name
    assert letter_blocks("Dear ((name))", {"name": tricky}, set()) == [Block("paragraph", f"Dear {tricky}")]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_what_is_shipped_can_be_used(path: object) -> None:
    source = tomllib.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    channel = Channel(source["channel"])
    assert problems(source["body"], channel, subject=source.get("subject", "")) == []
    if channel is Channel.SMS:
        text = text_message(source["body"], {"practice_name": "The Old Mill Lane Surgery", "practice_phone": ""}, set())
        assert text_fragments(text) == 1
        assert text.startswith("NHS")

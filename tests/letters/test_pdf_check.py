"""Made letters, looked at as they were made: whatever the name, address, language or format, they fit the envelope."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from letters import pdf
from letters.models import Template, TemplateVersion, Translation
from letters.pdf import LetterContent, LetterNotMade, Part, make_pdf
from letters.pdf_check import letter_problems
from letters.proofs import PROOFS, letter_to, proof_problems
from letters.rules import Format
from letters.wording import Block

AT = datetime(2020, 3, 20, 10, 0, tzinfo=UTC)
TITLES = {
    "en": "Important advice",
    "pl": "Ważna porada",
    "ur": "اہم مشورہ",
    "ar": "نصيحة مهمة",
    "bn": "গুরুত্বপূর্ণ পরামর্শ",
    "pa": "ਮਹੱਤਵਪੂਰਨ ਸਲਾਹ",
    "gu": "મહત્વપૂર્ણ સલાહ",
    "ta": "முக்கியமான ஆலோசனை",
    "hi": "महत्वपूर्ण सलाह",
    "ru": "Важный совет",
}
CONTENT = LetterContent(
    title="Important advice",
    date="20 March 2020",
    address=("Amina Khan", "1 Mill Lane", "Sutton", "SM1 1AA"),
    sender=("Mill Lane Surgery", "12 Mill Lane", "01632 960001"),
    blocks=(Block("paragraph", "Dear Amina Khan,"), Block("heading", "What to do"), Block("list", items=("Stay.",))),
)
# Names and places as they are written in Latin, with the accents of Europe, Vietnam and Yoruba.
LETTERS = st.characters(min_codepoint=0x41, max_codepoint=0x1EF9, categories=("Lu", "Ll"))
LATIN = LETTERS.filter(lambda character: ord(character) < 0x180 or ord(character) > 0x1E9F)
WORD = st.text(st.one_of(LATIN, st.sampled_from("-'")), min_size=1, max_size=14)
LINE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
# PDFium takes a line right below the same line for its shadow, and leaves it out.
ADDRESS = st.builds(lambda lines: (*lines, "SM1 1AA"), st.lists(LINE, min_size=2, max_size=6, unique=True))


@given(
    address=ADDRESS,
    sender=st.lists(LINE, min_size=1, max_size=8),
    language=st.sampled_from(sorted(TITLES)),
    format_=st.sampled_from(Format),
    paragraphs=st.lists(LINE, min_size=1, max_size=30),
)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
def test_every_letter_that_can_be_made_is_as_it_must_be(
    address: tuple[str, ...], sender: list[str], language: str, format_: Format, paragraphs: list[str]
) -> None:
    title = TITLES[language]
    words = tuple(Block("paragraph", f"{title} \u2068{line}\u2069 {title}") for line in paragraphs)
    content = replace(
        CONTENT,
        address=address,
        sender=tuple(sender),
        title=title,
        language=language,
        format=format_,
        blocks=words,
        also=() if language == "en" else (Part("Important advice", CONTENT.blocks),),
    )
    try:
        made = make_pdf(content, made_at=AT)
    except LetterNotMade:
        assume(False)
    assert letter_problems(made, content) == []
    assert make_pdf(content, made_at=AT) == made


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.slug)
@pytest.mark.parametrize("format_", Format)
def test_everybody_invented_gets_every_format(proof: object, format_: Format) -> None:
    version = TemplateVersion(template=Template(channel="LETTER"), subject="Advice", body="Dear ((name)),")
    content = letter_to(version, proof, format_)  # type: ignore[arg-type]
    assert letter_problems(make_pdf(content, made_at=AT), content) == []


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("x: 24.6mm", "x: 22mm", "partly in the window"),
        ("y: 39.5mm", "y: 60mm", "The window does not show the address"),
        ("left: 15mm", "left: 13mm", "left or right margin"),
        ("#let body-top = 95mm", "#let body-top = 80mm", "body begins above 95 mm"),
        ("#let body-top = 95mm", "#let body-top = 50mm", "nearer to it than 5 mm"),
        ("#let sender-left = 130mm", "#let sender-left = 122mm", "nearer to it than 5 mm"),
        ("(body: 12pt", "(body: 11pt", "smaller than 12 pt"),
        ("let sizes = (10pt,", "let sizes = (9pt,", None),  # the address may be smaller
        ('paper: "a4"', 'paper: "us-letter"', "not A4"),
        ("  title: first.parts.first().title,", '  title: "Letter",', "title is not"),
        ("lang: first.parts.first().language", 'lang: "fr"', "does not say its language"),
        ("    address-of(letter),\n", "    [#address-of(letter) NHS],\n", "nothing else"),
    ],
)
def test_what_is_wrong_on_the_made_page_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, was: str, becomes: str, problem: str | None
) -> None:
    source = (pdf.FOLDER / "letter.typ").read_text()
    assert was in source
    (tmp_path / "letter.typ").write_text(source.replace(was, becomes))
    monkeypatch.setattr(pdf, "FOLDER", tmp_path)
    monkeypatch.setattr(pdf, "_local", threading.local())
    found = letter_problems(make_pdf(CONTENT, made_at=AT), CONTENT)
    assert (found == []) if problem is None else any(problem in line for line in found), found


def test_large_print_is_held_to_16_points() -> None:
    large = replace(CONTENT, format=Format.BRAILLE)
    assert letter_problems(make_pdf(large, made_at=AT), large) == []
    assert letter_problems(make_pdf(CONTENT, made_at=AT), large) == ["Something is smaller than 16 pt."]


def test_a_pdf_without_tags_is_found() -> None:
    made = pdf._compiler().compile(input=pdf._files([CONTENT]), format="pdf", pdf_tags=False)
    assert "The PDF is not tagged, so it cannot be read aloud." in letter_problems(made, CONTENT)


def english(body: str, channel: str = "LETTER") -> TemplateVersion:
    return TemplateVersion(
        template=Template(channel=channel), subject="Advice" if channel == "LETTER" else "", body=body
    )


def test_a_template_is_refused_for_what_its_letters_would_be() -> None:
    assert proof_problems(english("Dear ((name)),")) == []
    (too_long,) = {line.split(" (Seen")[0] for line in proof_problems(english("\n\n---\n\n".join("x" * 11)))}
    assert too_long == "The letter has more than 10 pages."
    long = proof_problems(english("\n\n".join(["Stay at home if you can do so."] * 290)))
    assert long
    assert all("in large print" in line for line in long)


def test_a_translation_is_refused_where_our_fonts_lack_its_script() -> None:
    chinese = Translation(
        version=english("Dear ((name)),"), language="cmn", subject="重要建议", body="重要建议 ((name))"
    )
    assert proof_problems(chinese)[0].startswith("A character cannot be printed in our font.")


def test_a_text_that_is_too_long_is_refused() -> None:
    assert proof_problems(english("NHS: stay in. " * 60, "SMS")) == []
    assert proof_problems(english("NHS: stay in. " * 80, "SMS"))[0].startswith("It is sent as up to 8 fragments.")

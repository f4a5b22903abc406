"""Letters that share a PDF: each as it is alone, whose pages are whose, and nobody's page where they do not go."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pypdf import PdfReader

from letters.actions import outbox
from letters.actions.outbox import making
from letters.pdf import LetterContent, LetterNotMade, Part, make_joint_pdf, make_pdf
from letters.pdf_pages import letters_in, taken_out
from letters.reading import read_letter
from letters.rules import Format
from letters.transports import Item, Pages
from letters.transports.errors import HandOverMismatch
from letters.transports.files import batch_file, letter_of
from letters.wording import Block
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import printed, sent_once, states, work
from tests.letters.test_pdf import AT, content, text_of, words

NAMES = ["Amina Khan", "Bob Ali", "Charlie Sharma", "Dana Okafor", "Esi Mensah"]


def letter(name: str, paragraphs: int = 1, pages: int = 1, *, is_translated: bool = False) -> LetterContent:
    blocks = [Block("paragraph", f"Dear {name},"), *[Block("paragraph", "Stay at home. " * 40)] * paragraphs]
    blocks += [Block("page"), Block("heading", "For your employer"), Block("paragraph", name)] * (pages - 1)
    made = content(address=(name, "1 Mill Lane", "SM1 1AA"), blocks=tuple(blocks))
    return replace(made, also=(Part("Wa\u017cna rada", (Block("paragraph", name),), "pl"),)) if is_translated else made


@given(
    st.lists(
        st.builds(letter, st.sampled_from(NAMES), st.integers(1, 12), st.integers(1, 3), is_translated=st.booleans()),
        min_size=1,
        max_size=6,
    )
)
@hypothesis_settings(max_examples=25, deadline=None)
def test_each_letter_is_word_for_word_and_millimetre_for_millimetre_as_it_is_alone(some: list[LetterContent]) -> None:
    joint = make_joint_pdf(some, made_at=AT)
    found = letters_in(joint, len(some))
    assert make_joint_pdf(some, made_at=AT) == joint
    assert [found[0].first, *(each.last + 1 for each in found)] == [*(each.first for each in found), found[0].of + 1]
    for one, pages in zip(some, found, strict=True):
        alone = make_pdf(one, made_at=AT)
        assert pages.last - pages.first + 1 == len(PdfReader(io.BytesIO(alone)).pages)
        for number in range(pages.last - pages.first + 1):
            assert words(joint, pages.first - 1 + number) == words(alone, number)


def test_a_shared_pdf_is_tagged_and_has_the_letters_title_and_language() -> None:
    reader = PdfReader(io.BytesIO(make_joint_pdf([letter("Amina Khan"), letter("Bob Ali")], made_at=AT)))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert reader.metadata
    assert reader.metadata.title == "Important advice"
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()


def test_one_letter_taken_out_has_its_own_pages_and_nothing_of_its_neighbours() -> None:
    some = [letter(name, pages=2) for name in NAMES[:3]]
    joint = make_joint_pdf(some, made_at=AT)
    own = taken_out(letters_in(joint, 3)[1])
    assert text_of(own) == text_of(make_pdf(some[1], made_at=AT))
    objects = [PdfReader(io.BytesIO(own)).get_object(number) for number in range(1, own.count(b" obj"))]
    assert sum(isinstance(each, dict) and each.get("/Type") == "/Page" for each in objects) == 2
    assert taken_out(Pages(joint, 1, 6, 6)) == joint


@pytest.mark.parametrize("change", [{"format": Format.BRAILLE}, {"language": "pl"}])
def test_letters_of_two_formats_or_languages_never_share_one(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="one format and language"):
        make_joint_pdf([letter("Amina Khan"), replace(letter("Bob Ali"), **change)], made_at=AT)


def test_a_letter_whose_heading_is_not_on_its_first_page_is_refused() -> None:
    # Nobody could tell where it begins.
    tall = replace(letter("Amina Khan"), sender=tuple(f"Line {n}" for n in range(60)))
    with pytest.raises(LetterNotMade, match="no room for the heading"):
        make_joint_pdf([letter("Bob Ali"), tall], made_at=AT)


@pytest.mark.parametrize(
    "letters",
    [
        [Pages(b"joint", 1, 2, 4)],
        [Pages(b"joint", 3, 4, 4)],
        [Pages(b"joint", 1, 2, 4), Pages(b"joint", 2, 4, 4)],
        [Pages(b"joint", 1, 2, 5), Pages(b"joint", 4, 5, 5)],
    ],
)
def test_a_pdf_with_a_page_of_nobody_who_goes_is_never_put_in_a_file(letters: list[Pages]) -> None:
    items = [Item(f"{uuid4()}-1", pages) for pages in letters]
    with pytest.raises(ValueError, match="not handed over"):
        batch_file(items, key=uuid4(), batch_id=uuid4())


def test_two_letters_of_the_same_words_and_pdfs_of_their_own_are_two() -> None:
    twins = [Item(f"{uuid4()}-1", Pages(bytes(bytearray(b"%PDF-1.7 to A Khan")))) for _ in range(2)]
    file = batch_file(twins, key=uuid4(), batch_id=uuid4())
    assert len(json.loads(file.manifest)["pdfs"]) == 2


def test_a_letter_of_a_hand_over_from_before_pdfs_were_shared_is_still_read() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("one-1.pdf", b"%PDF-1.7 one")
    manifest = json.dumps({"messages": [{"reference": "one-1", "file": "one-1.pdf"}]}).encode()
    assert letter_of(archive, manifest, "one-1") == b"%PDF-1.7 one"
    assert letter_of(archive, manifest, "two-1") is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda letters, manifest: (letters[:50], manifest),
        lambda letters, manifest: (letters, manifest[:50]),
        lambda letters, manifest: (letters, b"{}"),
        lambda letters, manifest: (letters, manifest.replace(b'"last_page": 2', b'"last_page": 9')),
        lambda letters, manifest: (letters, manifest.replace(b".pdf", b".txt")),
    ],
)
def test_what_a_supplier_has_kept_and_cannot_be_read_is_a_mismatch(spoil: Callable[..., tuple[bytes, bytes]]) -> None:
    pdf = make_joint_pdf([letter("Amina Khan"), letter("Bob Ali")], made_at=AT)
    items = [Item(f"{n}-1", pages) for n, pages in enumerate(letters_in(pdf, 2))]
    file = batch_file(items, key=uuid4(), batch_id=uuid4())
    assert text_of(letter_of(io.BytesIO(file.data), file.manifest, "1-1") or b"").count("Bob Ali") == 2
    letters, manifest = spoil(file.data, file.manifest)
    with pytest.raises(HandOverMismatch):
        letter_of(io.BytesIO(letters), manifest, "1-1")


@pytest.mark.django_db
def test_one_letter_that_cannot_be_printed_fails_alone_and_the_others_go(mailing: Mailing) -> None:
    for name in ("Amina", "Bella", "Dana", "Esi", "Fatima"):
        validated(given_name=name)
    bad = validated(given_name="Gwen", address_lines=["x" * 100, "Sutton"])
    batch = mailing.released()
    work()
    assert states(batch) == {"HANDED_OVER": 5, "FAILED": 1}
    assert bad.messages.get().failure == "The address does not fit the window."
    assert sent_once()
    assert [name for name in ("Amina", "Bella", "Dana", "Esi", "Fatima", "Gwen") if name in printed()] == [
        "Amina",
        "Bella",
        "Dana",
        "Esi",
        "Fatima",
    ]


@pytest.mark.django_db
def test_who_is_stopped_after_the_release_leaves_no_page_behind(mailing: Mailing) -> None:
    stays, stopped = validated(given_name="Amina"), validated(given_name="Dana")
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    key = outbox.release(claimed=claimed, made=made, at=NOON)
    assert key
    stopped.messages.update(stop_asked=True)
    outbox.hand_over(key=key, at=NOON, made=made)
    assert states(batch) == {"HANDED_OVER": 1, "STOPPED": 1}
    assert "Amina" in printed()
    assert "Dana" not in printed()
    assert stays.messages.get().state == "HANDED_OVER"


@pytest.mark.django_db
def test_what_nobody_left_is_not_made_again(mailing: Mailing) -> None:
    people = [validated(), validated(), validated(formats_needed=["BRAILLE"])]
    batch = mailing.released()
    one, other, braille = (person.messages.get().pk for person in people)
    made = outbox.make(batch, [one, other, braille])
    assert making.only(made, batch, {one, other, braille}).items == made.items
    left = making.only(made, batch, {one, braille}).items
    assert left.keys() == {one, braille}
    assert left[braille] is made.items[braille]
    assert left[one].content != made.items[one].content


@pytest.mark.django_db
def test_each_format_has_a_pdf_of_its_own_and_one_letter_is_read_without_the_others(mailing: Mailing) -> None:
    people = {name: validated(given_name=name) for name in ("Amina", "Bella")}
    people["Dana"] = validated(given_name="Dana", formats_needed=["LARGE_PRINT"])
    batch = mailing.released()
    work()
    [manifest] = Path(settings.HANDOVER_FOLDER).glob(f"{batch.pk}/*/manifest.json")
    with zipfile.ZipFile(manifest.with_name("letters.zip")) as archive:
        names = archive.namelist()
    assert sorted(name[4:] for name in names) == ["large-print-en.pdf", "standard-en.pdf"]
    formats = {(each["format"], each["file"][4:]) for each in json.loads(manifest.read_text())["messages"]}
    assert formats == {("STANDARD", "standard-en.pdf"), ("LARGE_PRINT", "large-print-en.pdf")}
    for name, person in people.items():
        pdf = read_letter(person.messages.get())
        assert pdf
        assert [each for each in people if each in text_of(pdf)] == [name]

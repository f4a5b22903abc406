"""Making letters: ours, bare typst with many letters a compile, and WeasyPrint; and memory over many."""

import logging
import os
import resource
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.letters_people import AT
from benchmarks.steps import Result

#: Letters that bare typst sets in one compile, and so in one PDF.
SIZES = (1, 10, 25, 50, 100, 200)
#: Letters that warm a process up.
_WARM = 200


def making(*, size: int, letters: int) -> Result:
    """Makes letters: as we do where `size` is 0, else with bare typst, so many a compile. CPU and wall ms a letter.

    Each way in a process of its own: typst's caches never shrink, and slow down whoever compiles after a large one.
    """
    _prepare()
    some = invented()
    make = _ways()[size]
    make(list(islice(some, _WARM)))
    cpu, wall = _timed(make, list(islice(some, letters)))
    return {"cpu_ms": cpu, "wall_ms": wall}


def same_pages() -> Result:
    """Makes the same letters in every way; raises RuntimeError unless all make as many pages."""
    _prepare()
    letters = list(islice(invented(), _WARM))
    pages = {make(letters) for make in _ways().values()}
    if len(pages) != 1:
        raise RuntimeError(f"The ways of making letters made different numbers of pages: {pages}")
    return {}


def _ways() -> dict[int, Callable[[Sequence[Any]], int]]:
    """Returns our way, under 0, and bare typst's by letters a compile; each makes letters and counts their pages."""
    bare = _Bare()

    def in_files_of(size: int) -> Callable[[Sequence[Any]], int]:
        return lambda letters: sum(_pages(bare.compile(some)) for some in _batches(letters, size))

    return {0: lambda letters: sum(of for _, of in _ours(letters))} | {size: in_files_of(size) for size in SIZES}


def _ours(letters: Iterable[Any]) -> Iterator[tuple[int, int]]:
    """Makes letters as a claim of the outbox does, each found in its PDF; yields bytes and pages of each PDF."""
    from cohort.rules import Channel
    from letters.actions.outbox.claiming import CHUNK
    from letters.pdf import make_joint_pdf
    from letters.pdf_pages import letters_in

    for some in _batches(letters, CHUNK[Channel.LETTER]):
        pdf = make_joint_pdf(some, made_at=AT)
        yield len(pdf), letters_in(pdf, len(some))[-1].of


def _batches(letters: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(letters)
    while some := list(islice(left, size)):
        yield some


def weasyprint(*, letters: int) -> Result:
    """Makes letters with WeasyPrint; CPU and wall ms a letter, or `missing`: why it does not run here."""
    _prepare()
    try:
        make = _weasyprint()
    except (ImportError, OSError) as error:
        return {"missing": str(error).splitlines()[0]}
    some = invented()
    make(list(islice(some, 10)))
    cpu, wall = _timed(make, list(islice(some, letters)))
    return {"cpu_ms": cpu, "wall_ms": wall}


def _timed(work: Callable[[Sequence[Any]], int], letters: Sequence[Any]) -> tuple[float, float]:
    """Returns CPU and wall ms a letter."""
    cpu, began = time.process_time(), time.monotonic()
    work(letters)
    return (time.process_time() - cpu) * 1e3 / len(letters), (time.monotonic() - began) * 1e3 / len(letters)


def memory(*, letters: int) -> Result:
    """Makes so many letters in this process, and says what it holds in MiB after every 1,000."""
    _prepare()
    held: list[float] = []
    began = resource.getrusage(resource.RUSAGE_SELF)
    size = 0
    some = invented()
    for _ in range(0, letters, 1_000):
        size += sum(length for length, _ in _ours(islice(some, 1_000)))
        held.append(_held_mib())
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "held_mib": held,
        "bytes_a_letter": size / letters,
        "cpu_ms": (used.ru_utime + used.ru_stime - began.ru_utime - began.ru_stime) * 1e3 / letters,
    }


def invented() -> Iterator[Any]:
    """Yields letters to invented people without end, no two the same: names, addresses and practices differ."""
    import random

    from letters import contents
    from letters.actions.templates import SHIPPED
    from letters.models import Template, TemplateVersion
    from shielding.accounts.models import Organisation
    from shielding.demo.names import ORIGINS

    source = tomllib.loads((SHIPPED / "first-advice-letter.toml").read_text(encoding="utf-8"))
    version = TemplateVersion(template=Template(), number=1, subject=source["subject"], body=source["body"])
    dice = random.Random(20)  # noqa: S311 - the same letters each time
    weights = [share for share, *_ in ORIGINS]
    streets = [family for _, families, _, _ in ORIGINS for family in families.split()]
    while True:
        _, families, women, men = dice.choices(ORIGINS, weights)[0]
        patient = contents.invented_patient()
        # Neighbours in the queue have different practices: the care systems take turns.
        street = f"{dice.randint(1, 60)} {dice.choice(streets)} Road"
        patient.practice = Organisation(
            name=f"{street} Surgery",
            address_lines=[street, "Sutton"],
            postcode="SM1 1AA",
            phone=f"01632 960{dice.randint(0, 999):03}",
        )
        patient.given_name, patient.family_name = (
            dice.choice((women + " " + men).split()),
            dice.choice(families.split()),
        )
        patient.birth_date = date(dice.randint(1930, 2005), dice.randint(1, 12), 14)
        flat = [f"Flat {dice.randint(1, 40)}, Rose Court"] if dice.random() < 0.2 else []
        name = f"{patient.given_name} {patient.family_name}"
        address = [name, *flat, f"{dice.randint(1, 300)} Mill Lane", "Sutton", "SM1 1AA"]
        yield contents.letter(version, patient, address, dated=AT)


class _Bare:
    """typst itself with our template: what it can do with nothing around it."""

    def __init__(self) -> None:
        import typst

        from letters import pdf

        self.compiler = typst.Compiler(b"", root=pdf.FOLDER, font_paths=pdf._fonts(), ignore_system_fonts=True)

    def compile(self, letters: Sequence[Any]) -> bytes:
        from letters.pdf import _files

        files: Any = _files(letters)
        made: Any = self.compiler.compile(
            input=files, format="pdf", pdf_standards=["ua-1"], timestamp=int(AT.timestamp())
        )
        return bytes(made)


_STYLE = """
@font-face { font-family: Noto; src: url(%s) }
@font-face { font-family: Noto; font-weight: bold; src: url(%s) }
@page { size: A4; margin: 15mm 15mm 20mm; @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
body { font: 12pt/1.3 Noto; margin: 0 } p, ul { margin: 0.7em 0 }
.address { position: absolute; left: 9.6mm; top: 24.5mm; width: 95.4mm; font-size: 10pt; line-height: 1.28 }
.sender { position: absolute; left: 115mm; top: 24.5mm; width: 65mm; font-size: 10pt }
main { padding-top: 80mm }
h1 { font-size: 16pt } h2 { font-size: 13pt; margin: 0.8em 0 0.4em } .page { break-before: page }
"""


def _weasyprint() -> Callable[[Sequence[Any]], int]:
    """Returns WeasyPrint's way: one letter a document, tagged (PDF/UA-1), the same words, sizes and font."""
    from weasyprint import CSS, HTML  # type: ignore[import-untyped]
    from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]

    logging.getLogger("weasyprint.progress").setLevel(logging.WARNING)

    from django.conf import settings

    folder = Path(settings.NODE_MODULES) / "@expo-google-fonts" / "noto-sans"
    faces = [
        (folder / name).as_uri() for name in ("400Regular/NotoSans_400Regular.ttf", "700Bold/NotoSans_700Bold.ttf")
    ]
    fonts = FontConfiguration()
    style = CSS(string=_STYLE % tuple(faces), font_config=fonts)

    def make(letters: Sequence[Any]) -> int:
        return sum(
            _pages(
                HTML(string=_html(each)).write_pdf(
                    stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", pdf_tags=True
                )
            )
            for each in letters
        )

    return make


def _html(letter: Any) -> str:
    parts = []
    for block in letter.blocks:
        if block.kind == "heading":
            parts.append(f"<h2>{escape(block.text)}</h2>")
        elif block.kind == "list":
            parts.append(f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ul>")
        elif block.kind == "page":
            parts.append('<div class="page"></div>')
        else:
            parts.append(f"<p>{escape(block.text)}</p>")
    first, *others = letter.sender
    sender = "<br>".join([f"<b>{escape(first)}</b>", *map(escape, others), "", escape(letter.date)])
    return (
        f'<!doctype html><html lang="en-GB"><head><title>{escape(letter.title)}</title></head><body>'
        f'<div class="address">{"<br>".join(map(escape, letter.address))}</div><div class="sender">{sender}</div>'
        f"<main><h1>{escape(letter.title)}</h1>{''.join(parts)}</main></body></html>"
    )


def _pages(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") or pdf.count(b"/Type/Page/")


def _held_mib() -> float:
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _prepare() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    # Nothing asks the database: settings want an address all the same.
    os.environ.setdefault("DATABASE_URL", "postgres://nobody@/nowhere")
    django.setup()

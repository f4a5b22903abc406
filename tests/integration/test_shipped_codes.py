"""Every shipped code that a public list holds is of that list's system and meaning. Skips without ../shared."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cohort.shipped import LISTS, rows
from tests.integration.test_real_reference import ANNEX, CODE_LISTS, REFERENCE

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="needs the real reference data in ../shared/reference")

#: The annex has T868, a complication of transplants in ICD-10, among OPCS-4; in OPCS-4 there is no T868.
MISTYPED_IN_THE_ANNEX = {("ICD-10", "T868")}
#: Words of whole chapters of ICD-10, under which the annex files single diseases.
CHAPTERS = re.compile("Malignant neoplasms, stated|involving the immune mechanism|amino-acid metabolism|mucopolysacch")


def _system_of(path: Path) -> str:
    """Returns the one system of a file by its name, or nothing where rows say it or it is of another kind."""
    name = path.name
    if "icd" in name and name != ANNEX:
        return "ICD-10"
    if "opcs" in name and name != ANNEX:
        return "OPCS-4"
    if name.startswith("primis") and not name.endswith("rx.csv"):
        return "SNOMED"
    return "SNOMED" if "snomed" in name and "dmd" not in name and "drugs" not in name else ""


def _read(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yields (system, code, term)."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        for row in csv.DictReader(stream, skipinitialspace=True):
            if path.name == ANNEX:
                for code in row["Code"].split(","):
                    yield row["CodeType"], code, row["Code_Description"]
            elif row.get("type") == "vmp":
                yield "DMD", row["id"], row["nm"]
                yield "BNF", row["bnf_code"], row["nm"]
            elif (system := _system_of(path)) and (row.get("code") or row.get("id")):
                yield system, row.get("code") or row["id"], row.get("term") or row.get("name") or ""


@pytest.fixture(scope="module")
def public() -> dict[str, dict[str, set[str]]]:
    """Returns by code, and by system, the terms that public lists have for it."""
    terms: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in CODE_LISTS.rglob("*.csv"):
        for system, code, term in _read(path):
            terms[code.strip()][system].add(term)
    return terms


def _stems(text: str) -> set[str]:
    """Returns the beginnings of a term's words, spelt as in Britain or America."""
    plain = text.lower().replace("ae", "e").replace("oe", "e").replace("tumour", "tumor")
    return {word[:5] for word in re.findall("[a-z]{4,}", plain)} - {"other", "speci", "unspe", "with", "from"}


@pytest.mark.parametrize("slug", LISTS)
def test_a_shipped_code_is_of_the_system_and_the_meaning_that_public_lists_give_it(
    slug: str, public: dict[str, dict[str, set[str]]]
) -> None:
    wrong = []
    for row in rows(slug):
        system, code, term = row["system"], row["code"], row["term"]
        known = public.get(code, {})
        if not known or (system, code) in MISTYPED_IN_THE_ANNEX:
            continue
        if system not in known:
            # A code may be of two systems, with two meanings: J692 is a splenectomy, and a pneumonitis.
            if any(_stems(each) & _stems(term) for terms in known.values() for each in terms):
                wrong.append(f"{code} is {system} here and {', '.join(known)} in public lists")
        elif not any(CHAPTERS.search(each) or _stems(each) & _stems(term) for each in known[system]):
            wrong.append(f"{system} {code} is {term} here and {known[system]} in public lists")
    assert wrong == []


def test_most_shipped_snomed_codes_and_medicines_are_in_public_lists(public: dict[str, dict[str, set[str]]]) -> None:
    """So that the test above says something."""
    shipped = {(r["system"], r["code"]) for slug in LISTS for r in rows(slug) if r["system"] in ("SNOMED", "DMD")}
    unknown = sorted((system, code) for system, code in shipped if code not in public)
    assert len(unknown) < 0.1 * len(shipped), unknown

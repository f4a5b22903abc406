"""Which records an invented population has: every code, whom it is about, how often and when.

The codes of the shipped lists are read from their files, so that new lists are measured without a
change here; `PROFILES` says how common a list is, where the default will not do. All other codes
are invented, 20,000 of them, and some are far more common than others (Zipf), as in reality.

People come in a thousand kinds, each of one age and sex; a code is spread over some kinds only. That
makes what belongs together (an inhaler and courses of steroids) meet in the same people.
"""

import csv
import io
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np

from cohort.search.codec import from_json
from cohort.search.criteria import Criterion

KINDS = 1_000
ROWS_PER_PERSON = 50
#: Spells in hospital that a person may have in ten years; the last is the latest.
SPELLS = 8
SOURCE_OF = {"SNOMED": "GP", "CTV3": "GP", "READ2": "GP", "DMD": "MEDICINES", "BNF": "MEDICINES"}
#: Ages of England in 2019: how many of a thousand people are younger than 10, 20, ... 100.
_YOUNGER = (0, 124, 237, 363, 499, 626, 762, 867, 952, 991, 1000)


def age_of(kind: int) -> int:
    """Returns the age in years of a kind of people."""
    return int(np.interp(kind, _YOUNGER, range(0, 101, 10)))


def is_female(kind: int) -> bool:
    """Says whether a kind of people is female: every other one."""
    return kind % 2 == 0


@dataclass(frozen=True)
class Profile:
    """How a code list occurs: the share of all people, in which kinds, with how many records over how many days."""

    share: float
    among: Callable[[int], bool] = lambda _: True
    records: int = 1
    days: int = 3_650
    values: tuple[float, float] | None = None


@dataclass(frozen=True)
class Part:
    """Records of one code that are made together: so many people in a million, `records` each, over `days`.

    Parts with the same `key` are about the same people on the same days, for pairs of codes.
    """

    key: int
    per_million: float
    kinds: tuple[int, ...]
    records: int
    days: int
    values: tuple[float, float] | None = None


@dataclass(frozen=True)
class Stream:
    """All records of one code."""

    system: str
    code: str
    parts: tuple[Part, ...]


def _of_every(step: int, *rests: int, oldest: int = 200, youngest: int = 0) -> Callable[[int], bool]:
    """Returns a choice of kinds: one or more of every `step`, in an age range."""
    return lambda kind: kind // 2 % step in rests and youngest <= age_of(kind) <= oldest


def _mothers(kind: int) -> bool:
    return is_female(kind) and 17 <= age_of(kind) <= 44


_ASTHMA = _of_every(12, 3)
_COPD = _of_every(7, 2, youngest=45)
_CANCER = _of_every(20, 5, 11, youngest=30)
_LUNG_CANCER = _of_every(100, 31, youngest=40)
_TRANSPLANT = _of_every(100, 7, 57, youngest=10)
_HEART = _of_every(6, 1, youngest=45)
_KIDNEY = _of_every(5, 4, youngest=55)

DEFAULT = Profile(0.005, records=3)
PROFILES = {
    "asthma": Profile(0.08, _ASTHMA, records=5, days=5_000),
    "asthma-inhaler": Profile(0.05, _ASTHMA, records=9, days=365),
    "body-mass-index": Profile(0.5, records=3, days=4_000, values=(16, 42)),
    "chemotherapy": Profile(0.006, _CANCER, records=4, days=900),
    "chronic-heart-disease": Profile(0.05, _HEART, records=5),
    "chronic-liver-disease": Profile(0.008, records=3),
    "chronic-lung-disease": Profile(0.004, _COPD, records=4),
    "chronic-neurological-disease": Profile(0.02, records=4),
    "ckd-stage-1-to-2": Profile(0.01, _KIDNEY, records=3),
    "ckd-stage-3-to-5": Profile(0.04, _KIDNEY, records=6),
    "congenital-heart-disease": Profile(0.004, records=2),
    "copd": Profile(0.025, _COPD, records=6),
    "copd-laba": Profile(0.02, _COPD, records=9, days=365),
    "copd-lama": Profile(0.018, _COPD, records=9, days=365),
    "corticosteroid-card": Profile(0.0005, days=1_200),
    "cystic-fibrosis": Profile(0.0002, records=3),
    "delivery": Profile(0.03, _mothers, days=1_500),
    "diabetes": Profile(0.07, records=9, days=4_000),
    "diabetes-resolved": Profile(0.001),
    "dialysis": Profile(0.0008, records=6, days=900),
    "haematological-cancer": Profile(0.006, _CANCER, records=3),
    "haematological-transplant": Profile(0.0004, _TRANSPLANT, records=1),
    "immunosuppressant": Profile(0.004, _TRANSPLANT, records=9, days=400),
    "inhaled-steroid": Profile(0.06, _ASTHMA, records=9, days=365),
    "lung-cancer": Profile(0.001, _LUNG_CANCER, days=1_500),
    "prednisolone": Profile(0.007, _ASTHMA, records=8, days=300),
    "pregnancy": Profile(0.015, _mothers, records=2, days=400),
    "radical-radiotherapy": Profile(0.001, _LUNG_CANCER, records=2, days=900),
    "rare-disease": Profile(0.0064, records=3),
    "severe-copd": Profile(0.006, _COPD),
    "severe-lung-disease": Profile(0.0018, records=3),
    "solid-cancer": Profile(0.03, _CANCER, records=4),
    "solid-transplant": Profile(0.001, _TRANSPLANT),
    "splenectomy": Profile(0.0008),
    "transplant-complication": Profile(0.001, _TRANSPLANT),
}

_FOLDER = resources.files("cohort.criteria_set")
_KIND_NUMBERS = tuple(range(KINDS))
_PATIENTS_OF_HOSPITALS = tuple(kind for kind in _KIND_NUMBERS if kind // 2 % 2 == 0)


def catalogue() -> dict[str, list[Stream]]:
    """Returns the streams of each source (GP, MEDICINES, HOSPITAL), sorted by system and code."""
    parts: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
    for slug, rows in shipped_lists():
        for system, code, part in _listed(slug, rows):
            parts[system, code].append(part)
    listed = sum(part.per_million * part.records for code in parts.values() for part in code) / 1e6
    for system, code, part in _others(ROWS_PER_PERSON - listed, frozenset(parts)):
        parts[system, code].append(part)
    streams: dict[str, list[Stream]] = {"GP": [], "MEDICINES": [], "HOSPITAL": []}
    for system, code in sorted(parts):
        streams[SOURCE_OF.get(system, "HOSPITAL")].append(Stream(system, code, tuple(parts[system, code])))
    return streams


def shipped_lists() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yields each shipped code list: its slug, and its rows (system, code, paired_code, term)."""
    for file in sorted((_FOLDER / "codelists").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".csv"):
            yield file.name.removesuffix(".csv"), list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))


def shipped_criteria() -> list[Criterion]:
    """Returns the criteria of the shipped set, without a database."""
    files = sorted((_FOLDER / "criteria").iterdir(), key=lambda each: each.name)
    return [from_json(json.loads(file.read_text(encoding="utf-8"))) for file in files if file.name.endswith(".json")]


def _listed(slug: str, rows: list[dict[str, str]]) -> Iterator[tuple[str, str, Part]]:
    """Divides a list's people among its codes, the first being the most common."""
    profile = PROFILES.get(slug, DEFAULT)
    kinds = tuple(kind for kind in _KIND_NUMBERS if profile.among(kind))
    weights = _zipf(len(rows))
    for row, weight in zip(rows, weights, strict=True):
        pair = row["paired_code"]
        key = zlib.crc32(f"{slug} {row['system']} {row['code']} {pair}".encode())
        source = SOURCE_OF.get(row["system"], "HOSPITAL")
        values = profile.values if source == "GP" else None
        records = profile.records if source != "HOSPITAL" else 1
        part = Part(key, profile.share * 1e6 * weight, kinds, records, profile.days, values)
        yield row["system"], row["code"], part
        if pair:
            yield row["system"], pair, part


def _zipf(codes: int) -> np.ndarray:
    weights = 1 / (np.arange(codes) + 2.0)
    return np.asarray(weights / weights.sum())


def _others(rows_per_person: float, listed: frozenset[tuple[str, str]]) -> Iterator[tuple[str, str, Part]]:
    dice = np.random.default_rng(20)
    for system, share, codes, name, records, days in (
        ("SNOMED", 0.46, 10_500, _snomed, 2, 5_000),
        ("CTV3", 0.07, 2_000, _ctv3, 1, 9_000),
        ("DMD", 0.26, 4_000, _snomed, 6, 400),
        ("BNF", 0.11, 1_500, _bnf, 6, 400),
        ("ICD-10", 0.07, 1_500, _classified, 1, 3_650),
        ("OPCS-4", 0.03, 500, _classified, 1, 3_650),
    ):
        names = sorted({name(dice) for _ in range(codes)})
        dice.shuffle(names)
        for rank, (code, weight) in enumerate(zip(names, _zipf(len(names)), strict=True)):
            if (system, code) in listed:
                continue
            rows = rows_per_person * share * weight * 1e6
            # Nobody has a code more than once a day or so: the commonest are everybody's, many times.
            many = max(records, int(np.ceil(rows / 0.6e6)))
            kinds = _PATIENTS_OF_HOSPITALS if system in ("ICD-10", "OPCS-4") else _KIND_NUMBERS
            values = (10.0, 200.0) if system == "SNOMED" and rank % 4 == 0 else None
            key = zlib.crc32(f"{system} {code}".encode())
            yield system, code, Part(key, rows / many, kinds, many, days, values)


def _snomed(dice: np.random.Generator) -> str:
    digits = int(dice.integers(7, 18))
    return str(dice.integers(10 ** (digits - 1), 10**digits))


def _letters(dice: np.random.Generator, count: int, alphabet: str) -> str:
    return "".join(alphabet[n] for n in dice.integers(0, len(alphabet), count))


def _ctv3(dice: np.random.Generator) -> str:
    return _letters(dice, int(dice.integers(3, 6)), "ABCDEFGHJKLMNPQRSTUXYZabcdefghjk0123456789").ljust(5, ".")


def _bnf(dice: np.random.Generator) -> str:
    return f"{dice.integers(1, 16):02}{dice.integers(1, 12):02}{dice.integers(0, 1000):03}" + _letters(
        dice, 8, "ABCDEFGHJKLMNPQRSTU"
    )


def _classified(dice: np.random.Generator) -> str:
    return _letters(dice, 1, "ABCDEFGHIJKLMNOPQRSTZ") + f"{dice.integers(0, 1000):03}"

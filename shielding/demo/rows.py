"""The coded rows of every plan: who has which codes, when.

Rows are planned for a search on the day of the extracts, and hold for three weeks after. `records`
turns them into SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shielding.demo.plans import IMMUNOSUPPRESSED, PREGNANT, has, in_group, nearly

Place = Literal["events", "medications", "admissions"]
GP, MEDICINE, DIAGNOSIS, PROCEDURE = ("SNOMED",), ("DMD", "BNF"), ("ICD-10",), ("OPCS-4",)
HOSPITAL = DIAGNOSIS + PROCEDURE
#: Days before the extract: at any time since birth that a GP or, in ten years, a hospital would have recorded.
EVER = "30 + d % greatest(1, least(7000, {today} - birth_date - 30))"
EVER_IN_HOSPITAL = "30 + d % greatest(1, least(3400, {today} - birth_date - 60))"
#: The same, but more than 200 days ago.
LONG_AGO = "200 + d % greatest(1, least(2500, {today} - birth_date - 260))"
#: Codes that are of a list in the other system only: hepatitis, sinusitis, melanoma; poisoning; operations on the
#: spleen, the oesophagus and the uterus; pneumonitis.
WRONG_SYSTEM_TRANSPLANTS = (
    *(("ICD-10", code) for code in ("B171", "C437", "J011", "K011", "K021")),
    ("OPCS-4", "Z941"),
)
WRONG_SYSTEM_DIALYSIS = (("ICD-10", "X401"), ("ICD-10", "X402"), ("ICD-10", "X403"))
WRONG_SYSTEM_LUNG = (("OPCS-4", "J701"), ("OPCS-4", "J703"))
WRONG_SYSTEM_RARE = (("OPCS-4", "G122"), ("OPCS-4", "Q851"))
WRONG_SYSTEM_SPLEEN = (("ICD-10", "J691"), ("ICD-10", "J698"))


@dataclass(frozen=True)
class Planned:
    """Rows i = 0 to `count` - 1 of each person `where`, of codes of a list or of `codes` themselves.

    `offset` is SQL for the days before the extract, with i, and d, a number of chance of the person (the same
    for plans of the same `days`) and `{today}`. Only codes that no other list holds are taken, unless `is_shared`,
    so that one plan never makes another one true. `episode` is SQL for its number among the person's; `is_pair`
    writes the two codes of a pair in turn; `value` is SQL for a measurement.
    """

    place: Place
    purpose: str
    where: str
    code_list: str
    systems: tuple[str, ...]
    offset: str
    count: int = 1
    days: str = ""
    episode: str = ""
    value: str = ""
    is_pair: bool = False
    is_shared: bool = False
    codes: Sequence[tuple[str, str]] = ()


def _gp(
    purpose: str, where: str, code_list: str, offset: str = EVER, count: int = 1, *, days: str = "", value: str = ""
) -> Planned:
    return Planned("events", purpose, where, code_list, GP, offset, count, days, value=value)


def _dispensed(purpose: str, where: str, code_list: str, offset: str, count: int) -> Planned:
    return Planned("medications", purpose, where, code_list, MEDICINE, offset, count)


def _in_hospital(
    purpose: str,
    where: str,
    code_list: str,
    systems: tuple[str, ...] = HOSPITAL,
    offset: str = EVER_IN_HOSPITAL,
    *,
    count: int = 1,
    days: str = "",
    episode: str = "900",
    is_pair: bool = False,
) -> Planned:
    return Planned(
        "admissions", purpose, where, code_list, systems, offset, count, days, episode=episode, is_pair=is_pair
    )


def _miscoded(purpose: str, where: str, codes: Sequence[tuple[str, str]], episode: str) -> Planned:
    return Planned("admissions", purpose, where, "", (), EVER_IN_HOSPITAL, episode=episode, codes=codes)


def _of(slug: str, ways: str = "") -> str:
    """Returns SQL for people of a group, or those found in some ways: `way` is from 0 to 19."""
    return f"{in_group(slug)} AND {ways}" if ways else in_group(slug)


_CANCER, _LUNG, _COPD = "solid-cancer-chemotherapy", "lung-cancer-radiotherapy", "severe-copd"
_MARROW = "haematological-transplant-immunosuppressed"
_INHALED = f"({_of(_COPD, 'way >= 5')}) OR {nearly('one course', 'no diagnosis')}"

_TRANSPLANTS = (
    _gp("transplant", _of("solid-transplant", "way < 9"), "solid-transplant"),
    _in_hospital("operation", _of("solid-transplant", "way BETWEEN 9 AND 15"), "solid-transplant", PROCEDURE),
    _in_hospital("pair", _of("solid-transplant", "way = 16"), "solid-transplant", PROCEDURE, count=2, is_pair=True),
    _in_hospital("status", _of("solid-transplant", "way = 17"), "solid-transplant", DIAGNOSIS),
    _in_hospital("rejection", _of("solid-transplant", "way > 17"), "transplant-complication", DIAGNOSIS),
    _in_hospital(
        "torn pair",
        nearly("torn pair"),
        "solid-transplant",
        PROCEDURE,
        f"{EVER_IN_HOSPITAL} + 9 * i",
        count=2,
        episode="900 + i",
        is_pair=True,
    ),
    _in_hospital("complication", nearly("complication"), "transplant-complication", DIAGNOSIS),
    _miscoded("wrong system", nearly("wrong system"), WRONG_SYSTEM_TRANSPLANTS, "901"),
    _in_hospital(
        "marrow",
        _of("haematological-transplant", "way < 14"),
        "haematological-transplant",
        PROCEDURE,
        "25 + d % 120",
    ),
    _gp("marrow at GP", _of("haematological-transplant", "way >= 14"), "haematological-transplant", "25 + d % 120"),
    _in_hospital(
        "earlier marrow",
        f"{_of(_MARROW)} OR {nearly('old marrow', 'marrow and few steroids')}",
        "haematological-transplant",
        PROCEDURE,
        LONG_AGO,
    ),
)
_CANCERS = (
    # In one episode, or the cancer at the GP's and the treatment in hospital.
    _in_hospital(
        "cancer", _of(_CANCER, "way < 12"), "solid-cancer", DIAGNOSIS, "25 + d % 100", days="cancer", episode="920"
    ),
    _in_hospital(
        "treatment", _of(_CANCER, "way < 12"), "chemotherapy", PROCEDURE, "25 + d % 100", days="cancer", episode="920"
    ),
    _gp("cancer at GP", _of(_CANCER, "way >= 12"), "solid-cancer", "100 + d % 800"),
    _in_hospital(
        "sessions of treatment",
        _of(_CANCER, "way >= 12"),
        "chemotherapy",
        PROCEDURE,
        "25 + d % 20 + 21 * i",
        count=3,
        episode="930 + i",
    ),
    _in_hospital("cancer alone", nearly("two episodes"), "solid-cancer", DIAGNOSIS, "60 + d % 60", episode="920"),
    _in_hospital("treatment alone", nearly("two episodes"), "chemotherapy", PROCEDURE, "25 + d % 30", episode="921"),
    _gp("old cancer", nearly("old chemotherapy"), "solid-cancer", "600 + d % 200"),
    _in_hospital("old treatment", nearly("old chemotherapy"), "chemotherapy", PROCEDURE, "250 + d % 200"),
    _in_hospital("lung", _of(_LUNG, "way < 12"), "lung-cancer", DIAGNOSIS, "25 + d % 100", days="lung", episode="922"),
    _in_hospital(
        "rays", _of(_LUNG, "way < 12"), "radical-radiotherapy", PROCEDURE, "25 + d % 100", days="lung", episode="922"
    ),
    _gp("lung at GP", _of(_LUNG, "way >= 12"), "lung-cancer", "130 + d % 300"),
    _in_hospital("rays alone", _of(_LUNG, "way >= 12"), "radical-radiotherapy", PROCEDURE, "25 + d % 100"),
    _in_hospital(
        "old lung",
        nearly("old radiotherapy"),
        "lung-cancer",
        DIAGNOSIS,
        "250 + d % 400",
        days="old lung",
        episode="922",
    ),
    _in_hospital(
        "old rays",
        nearly("old radiotherapy"),
        "radical-radiotherapy",
        PROCEDURE,
        "250 + d % 400",
        days="old lung",
        episode="922",
    ),
    _in_hospital(
        "leukaemia", _of("haematological-cancer", "way < 12"), "haematological-cancer", DIAGNOSIS, "25 + d % 600"
    ),
    _gp("leukaemia at GP", _of("haematological-cancer", "way >= 12"), "haematological-cancer", "25 + d % 600"),
    _gp("old leukaemia", nearly("old leukaemia"), "haematological-cancer", "760 + d % 200"),
)
_LUNGS = (
    # Severe asthma: an inhaler, and prednisolone on four days or more of six months.
    _gp("asthma of the severe", f"{_of('severe-asthma')} OR {has('asthma')} OR {nearly('mild asthma')}", "asthma"),
    _dispensed(
        "inhaler",
        f"{_of('severe-asthma')} OR {nearly('three steroids', 'older steroids')}",
        "asthma-inhaler",
        "22 + d % 20 + 45 * i",
        3,
    ),
    _dispensed("preventer", has("asthma"), "inhaled-steroid", "22 + d % 30 + 60 * i", 4),
    _dispensed(
        "steroid",
        f"{_of('severe-asthma')} OR {nearly('no inhaler')} OR ({_of(_MARROW, 'way >= 10')})",
        "prednisolone",
        "23 + d % 9 + 30 * i",
        5,
    ),
    # Of two systems, so that the two of one day are never the same row.
    Planned(
        "medications",
        "three steroids",
        nearly("three steroids"),
        "prednisolone",
        ("DMD",),
        "24 + d % 10 + 70 * i",
        3,
    ),
    Planned(
        "medications",
        "second strength",
        nearly("three steroids"),
        "prednisolone",
        ("BNF",),
        "24 + d % 10",
        days="three steroids",
    ),
    _dispensed(
        "older steroids",
        nearly("three steroids", "older steroids"),
        "prednisolone",
        "215 + d % 20 + 35 * i",
        4,
    ),
    _dispensed(
        "few steroids", nearly("few steroids", "marrow and few steroids"), "prednisolone", "30 + d % 20 + 40 * i", 3
    ),
    # Severe COPD: told by its code, or by two inhalers and two courses of steroids.
    Planned(
        "events",
        "severe copd",
        f"({_of(_COPD, 'way < 5')}) OR {nearly('too young')}",
        "severe-copd",
        GP,
        "30 + d % 900",
        is_shared=True,
    ),
    _gp("copd", f"({_of(_COPD, 'way BETWEEN 5 AND 15')}) OR {has('copd')} OR {nearly('one course')}", "copd"),
    _in_hospital("copd in hospital", _of(_COPD, "way > 15"), "copd", DIAGNOSIS),
    _dispensed("muscarinic inhaler", _INHALED, "copd-lama", "22 + d % 20 + 45 * i", 3),
    _dispensed("beta inhaler", _INHALED, "copd-laba", "22 + d % 20 + 45 * i", 3),
    _dispensed(
        "two courses",
        f"({_of(_COPD, 'way >= 5')}) OR {nearly('no diagnosis')}",
        "prednisolone",
        "40 + d % 20 + 90 * i",
        2,
    ),
    _dispensed("one course", nearly("one course"), "prednisolone", "60 + d % 20 + 10 * i", 2),
    _gp("cystic fibrosis", _of("severe-respiratory", "way < 8"), "cystic-fibrosis", f"{EVER} + i", 2),
    _in_hospital("fibrosis", _of("severe-respiratory", "way IN (8, 9)"), "cystic-fibrosis", DIAGNOSIS, episode="902"),
    _gp("scarred lung", _of("severe-respiratory", "way BETWEEN 10 AND 15"), "severe-lung-disease"),
    _in_hospital("dusty lung", _of("severe-respiratory", "way > 15"), "severe-lung-disease", DIAGNOSIS),
    _miscoded("not the lung", nearly("not the lung"), WRONG_SYSTEM_LUNG, "904"),
    _gp("bronchitis", has("bronchitis"), "chronic-lung-disease"),
)
_OTHERS = (
    _gp("card", _of("corticosteroid-safety-card"), "corticosteroid-card", "30 + d % 600"),
    _gp("old card", nearly("old card"), "corticosteroid-card", "760 + d % 200"),
    _gp("rare", _of("rare-disease", "way < 12"), "rare-disease"),
    _in_hospital("rare in hospital", _of("rare-disease", "way >= 12"), "rare-disease", DIAGNOSIS),
    _miscoded("not rare", nearly("not rare"), WRONG_SYSTEM_RARE, "905"),
    _dispensed("medicine", IMMUNOSUPPRESSED, "immunosuppressant", "22 + d % 8 + 30 * i", 5),
    _dispensed("older medicine", nearly("older medicine"), "immunosuppressant", "400 + d % 30 + 30 * i", 4),
    _gp("spleen", _of("splenectomy", "way < 10"), "splenectomy"),
    _in_hospital("spleen removed", _of("splenectomy", "way >= 10"), "splenectomy", PROCEDURE),
    _miscoded("not the spleen", nearly("not the spleen"), WRONG_SYSTEM_SPLEEN, "906"),
    _gp("dialysis", _of("dialysis", "way > 12"), "dialysis", "25 + d % 30 + 40 * i", 3),
    _in_hospital(
        "sessions",
        _of("dialysis", "way <= 12"),
        "dialysis",
        offset="22 + d % 4 + 14 * i",
        count=6,
        episode="910 + i",
    ),
    _in_hospital(
        "old sessions",
        nearly("old dialysis"),
        "dialysis",
        offset="700 + d % 200 + 14 * i",
        count=6,
        episode="910 + i",
    ),
    _miscoded("not dialysis", nearly("not dialysis"), WRONG_SYSTEM_DIALYSIS, "903"),
)
_PREGNANCIES = (
    # The code in 254 days and no later delivery; of kind 2 after an earlier child's.
    _gp("pregnant", PREGNANT, "pregnancy", "30 + d % 80 + 60 * i", 2),
    _gp("earlier delivery", "pregnancy = 2", "delivery", "500 + d % 200"),
    _gp("earlier pregnancy", "pregnancy = 2", "pregnancy", "710 + d % 30"),
    _gp("was pregnant", "pregnancy = 3", "pregnancy", "120 + d % 100"),
    _gp("delivered", "pregnancy = 3", "delivery", "25 + d % 80"),
    _gp("pregnant long ago", "pregnancy = 4", "pregnancy", "290 + d % 400"),
    _gp("heart defect", "has_heart_defect", "congenital-heart-disease"),
)
_OLDER = "60 + d % greatest(1, least(1500, {today} - birth_date - 500))"
_CONDITIONS = (
    _gp("heart", has("heart"), "chronic-heart-disease"),
    _gp("kidney", f"{has('kidney')} OR {nearly('better kidney')}", "ckd-stage-3-to-5", _OLDER, days="kidney"),
    _gp("kidney before", has("kidney"), "ckd-stage-1-to-2", f"{_OLDER} + 400", days="kidney"),
    _gp("kidney since", nearly("better kidney"), "ckd-stage-1-to-2", "25 + d % 30"),
    _gp("liver", has("liver"), "chronic-liver-disease"),
    _gp("nerves", has("nerves"), "chronic-neurological-disease"),
    _gp("diabetes", f"{has('diabetes')} OR {nearly('resolved')}", "diabetes", _OLDER),
    _gp("resolved", nearly("resolved"), "diabetes-resolved", "25 + d % 30"),
    _gp("sickle cells", has("spleen"), "spleen-problem"),
    _gp("immune", has("immune"), "immune-deficiency"),
    _gp("heavy", has("obesity"), "body-mass-index", "30 + d % 300", value="round(40 + d % 150 / 10.0, 1)"),
    _gp("less heavy", has("obesity"), "body-mass-index", "400 + d % 300", value="round(34 + d % 59 / 10.0, 1)"),
    _gp("lost weight", nearly("lost weight"), "body-mass-index", "30 + d % 300", value="round(33 + d % 69 / 10.0, 1)"),
    _gp("was heavy", nearly("lost weight"), "body-mass-index", "400 + d % 300", value="round(40 + d % 90 / 10.0, 1)"),
)
PLANNED = (*_TRANSPLANTS, *_CANCERS, *_LUNGS, *_OTHERS, *_PREGNANCIES, *_CONDITIONS)

"""Who is planned to meet which criterion, or nearly: high-risk groups, near misses, long-term conditions.

All of it is SQL over the table `person`, which `people` fills by these shares; `rows` says which records
make each plan true, and `country` counts the people.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """One high-risk group: its criterion, its published size in England, and the share of it under 50."""

    slug: str
    published: int
    under_50: float


#: Counts of 16 September 2020; splenectomy and dialysis were added later: the size of the first is a guess, that of
#: the second the UK Renal Registry's. Shares under 50 are guesses that add up to the published list's.
GROUPS = (
    Group("solid-transplant", 58_745, 0.30),
    Group("solid-cancer-chemotherapy", 117_947, 0.15),
    Group("lung-cancer-radiotherapy", 2_977, 0.10),
    Group("haematological-cancer", 178_271, 0.12),
    Group("haematological-transplant", 1_817, 0.40),
    Group("haematological-transplant-immunosuppressed", 420, 0.40),
    Group("severe-asthma", 171_007, 0.25),
    Group("severe-copd", 526_906, 0.0),
    Group("severe-respiratory", 105_289, 0.35),
    Group("corticosteroid-safety-card", 1_218, 0.20),
    Group("rare-disease", 363_406, 0.40),
    Group("immunosuppression", 115_183, 0.30),
    Group("splenectomy", 20_000, 0.40),
    Group("dialysis", 30_000, 0.20),
)
#: Fewest of a thousand high-risk people in a group, so that the rarest are there in a small country too.
FEWEST_OF_A_THOUSAND = 5
#: Transplanted people whose immunosuppressants the GP prescribes: in two groups.
TRANSPLANT_AND_MEDICINE = 0.3
#: Pregnancies, of women of 16 to 44: now, now and before, ended, long ago.
PREGNANCIES = (0.045, 0.010, 0.035, 0.020)
#: Pregnant women with a congenital heart defect: 1 in 170 as published, more here, so that some are there.
HEART_DEFECT = 0.02


def weights(*, young: bool) -> tuple[float, ...]:
    """Returns the share of each group among high-risk people under 50, or from 50."""
    floor = FEWEST_OF_A_THOUSAND / 1000 * sum(group.published for group in GROUPS)
    sizes = [max(group.published, floor) * (group.under_50 if young else 1 - group.under_50) for group in GROUPS]
    return tuple(size / sum(sizes) for size in sizes)


def number_of_group(slug: str) -> int:
    """Returns what `person.risk` holds for a group; 0 for none. Raises ValueError for no such group."""
    return 1 + [group.slug for group in GROUPS].index(slug) if slug else 0


def in_group(*slugs: str) -> str:
    """Returns SQL for people whose first high-risk group is one of these. Raises ValueError for no such group."""
    return f"risk IN ({', '.join(str(number_of_group(slug)) for slug in slugs)})"


#: Long-term conditions of the vulnerable: share of people under 50, and from 50. About as common as in England.
CONDITIONS = {
    "asthma": (0.050, 0.060),
    "copd": (0.002, 0.060),
    "bronchitis": (0.001, 0.004),
    "heart": (0.004, 0.110),
    "kidney": (0.003, 0.110),
    "liver": (0.004, 0.010),
    "nerves": (0.012, 0.060),
    "diabetes": (0.020, 0.150),
    "spleen": (0.001, 0.002),
    "immune": (0.003, 0.002),
    "obesity": (0.030, 0.040),
}


def has(*conditions: str) -> str:
    """Returns SQL for people with one of these long-term conditions. Raises ValueError for no such condition."""
    bits = sum(1 << list(CONDITIONS).index(condition) for condition in conditions)
    return f"(conditions & {bits}) > 0"


@dataclass(frozen=True)
class NearMiss:
    """People who nearly meet a criterion: which, why not, how many of all, and of which ages (in years) they are."""

    criterion: str
    why_not: str
    share: float = 0.0015
    ages: tuple[int, int] = (3, 200)


#: The kinds of near miss, numbered from 1 in `person.near_miss`.
NEAR_MISSES = {
    "three steroids": NearMiss(
        "severe-asthma", "prednisolone dispensed on three days of six months, one day twice, and before them", 0.004
    ),
    "no inhaler": NearMiss("severe-asthma", "prednisolone enough, but no inhaler", 0.003),
    "older steroids": NearMiss("severe-asthma", "inhaler, and prednisolone before the window only", 0.004),
    "wrong system": NearMiss("solid-transplant", "a transplant's code in the wrong system", 0.004),
    "torn pair": NearMiss("solid-transplant", "the two codes of a pair in two episodes"),
    "complication": NearMiss("solid-transplant", "a complication, without a medicine"),
    "older medicine": NearMiss("immunosuppression", "the medicine before the window only", 0.003),
    "not dialysis": NearMiss("dialysis", "a dialysis code in the wrong system"),
    "old dialysis": NearMiss("dialysis", "dialysis in hospital, years ago"),
    "two episodes": NearMiss("solid-cancer-chemotherapy", "cancer and chemotherapy in two episodes"),
    "old chemotherapy": NearMiss("solid-cancer-chemotherapy", "chemotherapy before the window"),
    "old radiotherapy": NearMiss("lung-cancer-radiotherapy", "the episode is before the window"),
    "old leukaemia": NearMiss("haematological-cancer", "more than 24 months ago"),
    "old marrow": NearMiss("haematological-transplant", "more than 6 months ago"),
    "marrow and few steroids": NearMiss(
        "haematological-transplant-immunosuppressed", "steroid tablets on three days of twelve months"
    ),
    "one course": NearMiss("severe-copd", "one course of steroid tablets, in two packets", 0.003, (50, 200)),
    "no diagnosis": NearMiss("severe-copd", "inhalers and courses, but no COPD", 0.003, (50, 200)),
    "too young": NearMiss("severe-copd", "aged under 35", 0.003, (3, 33)),
    "not the lung": NearMiss("severe-respiratory", "a lung disease's code in the wrong system"),
    "old card": NearMiss("corticosteroid-safety-card", "more than 24 months ago"),
    "not rare": NearMiss("rare-disease", "a rare disease's code in the wrong system"),
    "not the spleen": NearMiss("splenectomy", "a splenectomy's code in the wrong system"),
    "resolved": NearMiss("diabetes", "resolved since"),
    "better kidney": NearMiss("chronic-kidney-disease", "the latest stage is 2"),
    "lost weight": NearMiss("severe-obesity", "the latest is below 40"),
    "mild asthma": NearMiss("chronic-respiratory-disease", "asthma without a preventing medicine"),
    "few steroids": NearMiss("weakened-immune-system", "steroid tablets on three days of twelve months"),
}


def number_of_near_miss(name: str) -> int:
    """Returns what `person.near_miss` holds for a near miss; 0 for none. Raises ValueError for no such near miss."""
    return 1 + list(NEAR_MISSES).index(name) if name else 0


def nearly(*names: str) -> str:
    """Returns SQL for people of these near misses. Raises ValueError for no such near miss."""
    return f"near_miss IN ({', '.join(str(number_of_near_miss(name)) for name in names)})"


#: Of people whom no plan is about.
IS_UNPLANNED = "risk + near_miss + pregnancy + conditions = 0"
#: Of those of them who are alive: rows to refuse may safely be made of theirs.
IS_PLAIN = f"{IS_UNPLANNED} AND death = 0"
IMMUNOSUPPRESSED = f"({in_group('immunosuppression')} OR is_medicated)"
PREGNANT = "pregnancy IN (1, 2)"
#: The high-risk criteria, by slug: SQL of whom the search must find.
HIGH_RISK = {
    **{group.slug: in_group(group.slug) for group in GROUPS},
    "immunosuppression": IMMUNOSUPPRESSED,
    "pregnant-heart-defect": f"has_heart_defect AND {PREGNANT}",
}
#: The long-term conditions of the vulnerable tier, by slug: SQL of who has them, of whatever age.
LONG_TERM = {
    "chronic-respiratory-disease": f"({has('asthma', 'copd', 'bronchitis')} OR "
    f"{in_group('severe-asthma', 'severe-copd', 'severe-respiratory')} OR {nearly('one course', 'too young')})",
    "chronic-heart-disease": f"({has('heart')} OR has_heart_defect)",
    "chronic-kidney-disease": f"({has('kidney')} OR {in_group('dialysis')})",
    "chronic-liver-disease": has("liver"),
    "chronic-neurological-conditions": has("nerves"),
    "diabetes": has("diabetes"),
    "spleen-problems": f"({has('spleen')} OR {in_group('splenectomy')})",
    "weakened-immune-system": f"({has('immune')} OR {IMMUNOSUPPRESSED} OR "
    f"{in_group('haematological-transplant-immunosuppressed', 'solid-cancer-chemotherapy', 'severe-asthma')} OR "
    f"{nearly('no inhaler', 'two episodes')})",
    "severe-obesity": has("obesity"),
}

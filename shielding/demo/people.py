"""The invented people: who they are, where they live, and what the search should find of them.

`make_people` leaves the table `person`, one narrow row each, from which the patients and all coded
records are written. Nobody is made in Python: any number streams through DuckDB.
"""

from datetime import date, timedelta

import duckdb

from shielding.demo import places, plans
from shielding.demo.cast import CAST, FIRST_NUMBER
from shielding.demo.dice import Dice

#: England's people by five-year band, in per cent (ONS mid-2019, rounded): 0 to 4, 5 to 9, ... 90 to 99.
AGE_BANDS = (6.0, 6.3, 5.9, 5.6, 6.3, 6.7, 6.8, 6.6, 6.1, 6.6, 6.9, 6.4, 5.5, 4.9, 4.9, 3.4, 2.6, 1.6, 0.9)
#: Share of each age group on the Shielded Patient List of 16 September 2020 (up to age, share); 3.95 % of all.
HIGH_RISK_BY_AGE = ((18, 0.0069), (30, 0.0100), (40, 0.0163), (50, 0.0256), (60, 0.0450), (70, 0.0770), (80, 0.1180))
HIGH_RISK_OLDEST = 0.1440
PUBLISHED_SHARE = 0.0395
#: Of each slot of `places.HOUSEHOLD_OF_SLOT`: 0 of a small household, 1 parent, 2 child.
PLACE_OF_SLOT = (0, 0, 0, 0, 0, 1, 1, 2, 1, 1, 2, 2)


def nhs_number(index: int) -> str:
    """Returns the test NHS number of a person number: 999 up to 900,000, then 900 to 998.

    Of every ten numbers that differ in the ninth digit at most one has no check digit; nine of each ten are used.
    """
    prefix, slot = _prefix(index)
    total = sum(int(digit) * weight for digit, weight in zip(str(prefix), range(10, 2, -1), strict=True))
    without_check = 6 * (12 - total % 11) % 11
    ninth = slot + (slot >= without_check)
    return f"{prefix}{ninth}{(11 - (total + 2 * ninth) % 11) % 11}"


def _prefix(index: int) -> tuple[int, int]:
    if index < 900_000:
        scattered = (index * 7_654_321 + 123_457) % 900_000
        return 99_900_000 + scattered // 9, scattered % 9
    scattered = (index - 900_000) * 48_271 % 89_100_000
    return 90_000_000 + scattered // 9, scattered % 9


def numbered_sql(source: str) -> str:
    """Returns SQL for the same: the rows of `source`, which has `n`, with `nhs` as a number."""
    digits = " + ".join(f"prefix // {10 ** (7 - place)} % 10 * {10 - place}" for place in range(8))
    return (
        "SELECT * EXCLUDE (scattered, prefix, total, ninth), "
        "(prefix * 10 + ninth) * 10 + (11 - (total + 2 * ninth) % 11) % 11 AS nhs FROM (SELECT *, scattered % 9 "
        f"+ (scattered % 9 >= 6 * (12 - total % 11) % 11)::INTEGER AS ninth FROM (SELECT *, {digits} AS total FROM ("
        "SELECT *, scattered // 9 + CASE WHEN n < 900000 THEN 99900000 ELSE 90000000 END AS prefix FROM (SELECT *, "
        "CASE WHEN n < 900000 THEN (n * 7654321 + 123457) % 900000 ELSE (n - 900000) * 48271 % 89100000 END "
        f"AS scattered FROM ({source})))))"
    )


def _age_sql(quantile: str) -> str:
    """Returns SQL for the age in years at a quantile of England's people."""
    cases, below = [], 0.0
    for band, percent in enumerate(AGE_BANDS):
        width = 10 if band == len(AGE_BANDS) - 1 else 5
        cases.append((below, f"{band * 5} + {width} * ({quantile} - {below}) / {percent / 100}"))
        below = round(below + percent / 100, 6)
    whens = " ".join(
        f"WHEN {quantile} < {upper} THEN {case}"
        for (_, case), (upper, _) in zip(cases, [*cases[1:], (1.1, "")], strict=True)
    )
    return f"CASE {whens} END"


def _cut(value: str, shares: tuple[float, ...], first: int = 1) -> str:
    """Returns SQL for which of `shares` (from 0 up) `value` falls in, counted from `first`; 0 for none."""
    whens, upper = [], 0.0
    for index, share in enumerate(shares, start=first):
        upper += share
        whens.append(f"WHEN {value} < {upper:.9f} THEN {index}")
    return f"CASE {' '.join(whens)} ELSE 0 END"


def make_people(
    connection: duckdb.DuckDBPyConnection, *, people: int, dice: Dice, as_at: date, high_risk_share: float
) -> None:
    """Makes the table `person` of `people` rows, the cast first."""
    today = f"DATE '{as_at}'"
    scale = high_risk_share / PUBLISHED_SHARE
    rate = "CASE " + " ".join(f"WHEN age < {upto} THEN {share}" for upto, share in HIGH_RISK_BY_AGE)
    rate += f" ELSE {HIGH_RISK_OLDEST} END * {scale} * CASE sex WHEN 'F' THEN 1.04 ELSE 0.96 END"
    source = (
        f"SELECT m + {FIRST_NUMBER} AS n, practice.number AS practice, house_first + (m - first) // 12 * 5 + "
        f"{list(places.HOUSEHOLD_OF_SLOT)}[1 + (m - first) % 12] AS house, "
        f"{list(PLACE_OF_SLOT)}[1 + (m - first) % 12] AS place "
        f"FROM range({people - len(CAST)}) AS t(m) JOIN block AS practice ON practice.block = m // {places.BLOCK}"
    )
    #: Couples and parents are of like age, and children of an age to be theirs; together they have England's ages.
    nearby = f"abs({dice.share('household age', 'house')} + 0.08 * ({dice.share('age')} - 0.5))"
    aged = (
        f"SELECT *, CASE place WHEN 2 THEN 0.25 * v WHEN 1 THEN 0.25 + 0.5 * v ELSE CASE WHEN "
        f"{dice.share('household kind', 'house')} < 0.4 THEN 0.25 + 0.5 * v ELSE 0.75 + 0.25 * v END END AS quantile "
        f"FROM (SELECT *, CASE WHEN near > 1 THEN 2 - near ELSE near END AS v FROM (SELECT *, {nearby} AS near "
        f"FROM ({numbered_sql(source)})))"
    )
    born = (
        f"SELECT n, nhs, practice, house, age, {today} - (age * 365.2425)::INTEGER AS birth_date, "
        f"{dice.share('sex')} AS u, CASE WHEN u < 0.0005 THEN 'U' WHEN u < 0.001 THEN 'O' "
        f"WHEN u < CASE WHEN age < 80 THEN 0.505 ELSE 0.6 END THEN 'F' ELSE 'M' END AS sex "
        f"FROM (SELECT *, {_age_sql('quantile')} AS age FROM ({aged}))"
    )
    grouped = (
        f"SELECT *, CASE WHEN age < 3 OR {dice.share('high risk')} >= {rate} THEN 0 WHEN age < 50 "
        f"THEN {_cut('g', plans.weights(young=True))} ELSE {_cut('g', plans.weights(young=False))} END AS risk "
        f"FROM (SELECT *, {dice.share('group')} AS g FROM ({born}))"
    )
    misses = plans.NEAR_MISSES.values()
    youngest, oldest = ([miss.ages[end] for miss in misses] for end in (0, 1))
    conditions = " + ".join(
        f"({dice.share(f'condition {name}')} < CASE WHEN age < 50 THEN {below_50} ELSE {from_50} END"
        f"{' AND age >= 19' if name == 'obesity' else ''})::INTEGER * {1 << bit}"
        for bit, (name, (below_50, from_50)) in enumerate(plans.CONDITIONS.items())
    )
    nearly = (
        f"SELECT *, {dice.below('way', 20)} AS way, CASE WHEN risk = 0 AND age >= 3 THEN "
        f"{_cut(dice.share('near miss'), tuple(miss.share for miss in misses))} ELSE 0 END AS nearly FROM ({grouped})"
    )
    planned = (
        f"SELECT *, CASE WHEN nearly > 0 AND age >= {youngest}[nearly] AND age < {oldest}[nearly] THEN nearly ELSE 0 "
        f"END AS near_miss, CASE WHEN near_miss = 0 AND age >= 3 THEN {conditions} ELSE 0 END AS conditions, "
        f"CASE WHEN sex = 'F' AND age >= 16 AND age < 45 THEN {_cut(dice.share('pregnancy'), plans.PREGNANCIES)} "
        f"ELSE 0 END AS pregnancy, {_cut(dice.share('death'), (0.003, 0.001))} AS death FROM ({nearly})"
    )
    #: Who is found by a recent medicine died after it was dispensed, or the search would rightly not find them.
    days = f"1 + {dice.below('days since death', f'CASE WHEN {plans.IS_UNPLANNED} THEN 900 ELSE 18 END')}"
    transplant, marrow = (
        plans.in_group("solid-transplant"),
        plans.in_group("haematological-transplant-immunosuppressed"),
    )
    whole = (
        f"SELECT n, nhs, practice, house, birth_date, sex, risk::TINYINT AS risk, way::TINYINT AS way, "
        f"({transplant} AND (way > 17 OR {dice.share('transplant and medicine')} < {plans.TRANSPLANT_AND_MEDICINE})) "
        f"OR ({marrow} AND way < 10) AS is_medicated, near_miss::TINYINT AS near_miss, "
        f"pregnancy::TINYINT AS pregnancy, "
        f"pregnancy BETWEEN 1 AND 3 AND {dice.share('heart defect')} < {plans.HEART_DEFECT} AS has_heart_defect, "
        f"conditions::INTEGER AS conditions, death::TINYINT AS death, "
        f"CASE WHEN death = 1 THEN greatest(birth_date, {today} - ({days})::INTEGER) END AS death_date FROM ({planned})"
    )
    connection.execute(
        f"CREATE TABLE person AS SELECT *, coalesce(death_date, {today}) AS last_date FROM ({whole}) LIMIT 0"
    )
    for number, role in enumerate(CAST):
        died = None if role.died_days_ago is None else as_at - timedelta(days=role.died_days_ago)
        connection.execute(
            f"INSERT INTO person VALUES (?, ?, ?, -1, ?, ?, {plans.number_of_group(role.risk)}, 0, false, "
            f"{plans.number_of_near_miss(role.near_miss)}, 0, false, 0, ?, ?, ?)",
            [
                *(number, int(nhs_number(number)), role.practice, role.birth_date, role.sex),
                *(int(died is not None), died, died or as_at),
            ],
        )
    connection.execute(f"INSERT INTO person SELECT *, coalesce(death_date, {today}) FROM ({whole})")

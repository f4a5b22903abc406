"""The invented country's councils, practices and postcodes.

Codes have real shapes, in ranges that real ones do not use. Postcodes are in areas ZA to ZY: valid
in shape, but no such area exists (ZE, Shetland, is left out, and ZI, ZJ and ZZ, since no area has I,
J or Z as its second letter).
"""

import random
from dataclasses import dataclass

import duckdb

from shielding.demo import names

#: Practices' lists are made of blocks of this many people, so that a person's practice is one look-up.
BLOCK = 50
AREA_LETTERS = "ABCDFGHKLMNOPQRSTUVWXY"
#: The letters of the second part of a postcode: all but C, I, K, M, O and V.
UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
UNITS_OF_A_SECTOR = len(UNIT_LETTERS) ** 2
SECTORS_OF_AN_AREA = 99 * 10
HOUSES_OF_A_UNIT = 18
#: Of every 12 people in a row: one alone, two couples, one family of three and one of four.
HOUSEHOLD_OF_SLOT = (0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 4)


@dataclass(frozen=True)
class Council:
    """One council: `tier` is local-links-manager's (1 county, 2 district, 3 single), `county` an index or None."""

    number: int
    gss: str
    snac: str
    tier: int
    county: int | None
    town: str
    name: str
    forum: int
    phone: str


@dataclass(frozen=True)
class Practice:
    """One practice: its people are numbers `first` to `first + size - 1`; it is in council `council`.

    Its streets fill `units` postcodes from the start of sector `sector`.
    """

    number: int
    code: str
    name: str
    first: int
    size: int
    house_first: int
    council: int
    sector: int
    units: int
    network: int
    system: int
    phone: str


@dataclass(frozen=True)
class Places:
    """Everything there is to live in or belong to."""

    councils: tuple[Council, ...]
    practices: tuple[Practice, ...]
    closed_practice_code: str
    networks: int
    systems: int
    forums: int

    @property
    def home_councils(self) -> list[Council]:
        """Returns those with postcodes of their own: all but the counties."""
        return [council for council in self.councils if council.tier != 1]


def outward(sector: int) -> str:
    """Returns the first part of the postcodes of a sector, such as ZA1."""
    return f"Z{AREA_LETTERS[sector // SECTORS_OF_AN_AREA]}{1 + sector % SECTORS_OF_AN_AREA // 10}"


def postcode(sector: int, unit: int) -> str:
    """Returns a postcode in its usual spelling."""
    sector, unit = sector + unit // UNITS_OF_A_SECTOR, unit % UNITS_OF_A_SECTOR
    return f"{outward(sector)} {sector % 10}{UNIT_LETTERS[unit // 20]}{UNIT_LETTERS[unit % 20]}"


def postcode_sql(sector: str, unit: str) -> str:
    """Returns SQL for the same from two SQL expressions."""
    at, letters = f"({sector} + {unit} // {UNITS_OF_A_SECTOR})", f"({unit} % {UNITS_OF_A_SECTOR})"
    return (
        f"'Z' || '{AREA_LETTERS}'[1 + {at} // {SECTORS_OF_AN_AREA}] || (1 + {at} % {SECTORS_OF_AN_AREA} // 10) || ' ' "
        f"|| ({at} % 10) || '{UNIT_LETTERS}'[1 + {letters} // 20] || '{UNIT_LETTERS}'[1 + {letters} % 20]"
    )


def _town(number: int) -> str:
    """Returns the name of one of 360 towns, no two alike."""
    start, turn = number % len(names.TOWN_STARTS), number // len(names.TOWN_STARTS)
    return names.TOWN_STARTS[start] + names.TOWN_ENDS[(turn + 7 * start) % len(names.TOWN_ENDS)]


def _councils(people: int) -> tuple[tuple[Council, ...], int]:
    """Returns councils in England's mix (21 counties, 164 districts, 33 London, 36 metropolitan of 317)."""
    total = max(5, round(people * 317 / 56_000_000))
    counties, districts = max(1, total * 21 // 317), total * 164 // 317
    london, metropolitan = max(1, total * 33 // 317), total * 36 // 317
    single = total - counties - districts - london - metropolitan
    forums = max(2, round(total * 38 / 317))
    plan: list[tuple[str, int, int | None, str]] = [("E10", 1, None, "{}shire County Council")] * counties
    plan += [("E07", 2, index * counties // districts, "{} District Council") for index in range(districts)]
    plan += [("E06", 3, None, "{} Council")] * single
    plan += [("E08", 3, None, "{} Metropolitan Borough Council")] * metropolitan
    plan += [("E09", 3, None, "London Borough of {}")] * london
    counters: dict[str, int] = {}
    made: list[Council] = []
    for number, (prefix, tier, county, style) in enumerate(plan):
        counters[prefix] = counters.get(prefix, 700) + 1
        if tier == 1:
            snac = str(60 + number)
        else:
            snac = f"{60 + county if county is not None else 99}{chr(65 + number // 20)}{UNIT_LETTERS[number % 20]}"
        town = _town(number)
        forum = forums - 1 if prefix == "E09" else number * (forums - 1) // total
        if county is not None:
            forum = made[county].forum
        made.append(
            Council(
                number,
                f"{prefix}000{counters[prefix]:03}",
                snac,
                tier,
                county,
                town,
                style.format(town),
                forum,
                f"01632 960{100 + number:03}",
            )
        )
    return tuple(made), forums


def _sizes(people: int, seed: int) -> list[int]:
    """Returns sizes that add up to `people`: the third the largest, the last of 50, the others unlike."""
    count = max(min(8, 3 + people // 1000), round(people / 8600))
    chance = random.Random(f"{seed}:practice sizes")  # noqa: S311 (not a secret)
    weights = [chance.lognormvariate(0, 0.45) for _ in range(count - 1)]
    weights[0], weights[1] = 1.0, 0.8
    if count > 3:
        weights[2] = max(weights) * 1.6
    blocks_to_share = people // BLOCK - 1
    scale = (blocks_to_share - len(weights)) / sum(weights)
    sizes = [BLOCK * (1 + int(weight * scale)) for weight in weights]
    sizes[min(2, count - 2)] += (blocks_to_share * BLOCK - sum(sizes)) // BLOCK * BLOCK
    return [*sizes, people - sum(sizes)]


def make_places(people: int, *, seed: int) -> Places:
    """Returns the places that `people` registered people need, in England's proportions."""
    councils, forums = _councils(people)
    homes = [council for council in councils if council.tier != 1]
    sizes = _sizes(people, seed)
    networks = min(len(sizes), max(2, round(len(sizes) / 5.1)))
    systems = min(networks, max(2, round(networks / 30)))
    next_sector = {
        council.number: (index % len(AREA_LETTERS)) * SECTORS_OF_AN_AREA + index // len(AREA_LETTERS) * 60
        for index, council in enumerate(homes)
    }
    practices: list[Practice] = []
    first = house_first = 0
    for number, size in enumerate(sizes):
        council = homes[number * len(homes) // len(sizes)]
        houses = (size + 11) // 12 * 5
        units = -(-houses // HOUSES_OF_A_UNIT)
        sector = next_sector[council.number]
        next_sector[council.number] += -(-(units + 2) // UNITS_OF_A_SECTOR)
        locality = names.LOCALITIES[number % len(names.LOCALITIES)].upper()
        surgery = names.SURGERIES[(number * 5 + number // 7) % len(names.SURGERIES)]
        network = number * networks // len(sizes)
        practices.append(
            Practice(
                number,
                f"A{92001 + number}",
                f"{locality} {surgery}",
                first,
                size,
                house_first,
                council.number,
                sector,
                units,
                network,
                network * systems // networks,
                f"01632 960{500 + number % 400:03}",
            )
        )
        first, house_first = first + size, house_first + houses
    return Places(councils, tuple(practices), f"A{92001 + len(sizes)}", networks, systems, forums)


def load_places(connection: duckdb.DuckDBPyConnection, places: Places) -> None:
    """Makes the tables `block` (which practice each block of people is with) and `sector` (where the streets are)."""
    by_number = places.practices
    towns = [council.town for council in places.councils]
    connection.execute(
        "CREATE TABLE practice (number INTEGER, code VARCHAR, first BIGINT, size BIGINT, house_first BIGINT, "
        "council INTEGER, town VARCHAR, sector INTEGER, units INTEGER, next_town VARCHAR, next_sector INTEGER, "
        "next_units INTEGER)"
    )
    rows = []
    for practice in by_number:
        after = by_number[(practice.number + 1) % len(by_number)]
        rows.append(
            (
                *(practice.number, practice.code, practice.first, practice.size, practice.house_first),
                *(practice.council, towns[practice.council], practice.sector, practice.units),
                *(towns[after.council], after.sector, after.units),
            )
        )
    connection.executemany("INSERT INTO practice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute(
        f"CREATE TABLE block AS SELECT first // {BLOCK} + step AS block, * FROM (SELECT *, "
        f"unnest(range((size + {BLOCK - 1}) // {BLOCK})) AS step FROM practice) ORDER BY block"
    )

"""A population with the published prevalences: the search finds each disease group as often as was published.

People are drawn so that each council has its published share on the list, by age band, sex and disease
group (NHS Digital, 16 September 2020). Those of a group have records that its shipped criterion, as it
is now, asks for; the 26 % who were on the list for no group have none, and others nearly have.
"""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import sqrt
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.catalogue import SOURCE_OF, shipped_criteria
from benchmarks.steps import code_sets
from cohort.search.criteria import (
    Age,
    AllOf,
    AnyOf,
    Clause,
    CodeSet,
    Criterion,
    LatestOfTwo,
    NotFollowedBy,
    Records,
    SameEpisode,
    walk,
)
from cohort.search.engine import run_search
from cohort.search.terms import AnyWindow, Source
from tests.cohort.factories import invented_nhs_number

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "reference" / "SPL_by_LA.csv"
ENGLAND = "E92000001"
SEARCH_DATE = date(2020, 9, 16)
PEOPLE = 200_000
#: With some 50 comparisons, one of them is beyond this by chance in about one seed of three hundred.
STANDARD_ERRORS = 4
#: Published group -> the shipped criterion that is meant to find it.
CRITERION_OF = {
    "Transplants (Solid)": "solid-transplant",
    "Cancer (Solid with Chemotherapy)": "solid-cancer-chemotherapy",
    "Cancer (Lung with Radical Radiotherapy)": "lung-cancer-radiotherapy",
    "Cancer (Haematological within 24 months)": "haematological-cancer",
    "Transplants (Haematological within 6 months)": "haematological-transplant",
    "Transplants (Haematological with Immunosuppression)": "haematological-transplant-immunosuppressed",
    "Respiratory (Severe Asthma)": "severe-asthma",
    "Respiratory (Severe COPD)": "severe-copd",
    "Respiratory (Severe Permanent)": "severe-respiratory",
    "Corticosteroid Safety Card": "corticosteroid-safety-card",
    "Rare genetic metabolic and autoimmune diseases": "rare-disease",
    "Immunosuppression Therapy": "immunosuppression",
    "Pregnant with Congenital Heart Defect": "pregnant-heart-defect",
}
PREGNANT = "Pregnant with Congenital Heart Defect"
COPD = "Respiratory (Severe COPD)"
BANDS = {
    "0-17": (0, 17),
    "18-29": (18, 29),
    "30-39": (30, 39),
    "40-49": (40, 49),
    "50-59": (50, 59),
    "60-69": (60, 69),
    "70-79": (70, 79),
    "80-89": (80, 89),
    "90+": (90, 100),
}
BIRMINGHAM, LEEDS, COUNTY_DURHAM, WILTSHIRE = "E08000025", "E08000035", "E06000047", "E06000054"

Row = tuple[int, str, str, date, str, str, float | None]


@dataclass
class Area:
    """What was published of one area: its population, and counts of the list by age band, sex and group."""

    population: int = 0
    on_list: int = 0
    ages: dict[str, int] = field(default_factory=dict)
    sexes: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)


def published() -> dict[str, Area]:
    if not PUBLISHED.exists():
        pytest.skip("the published counts are reference data, kept outside the repository: ../shared/reference")
    areas: defaultdict[str, Area] = defaultdict(Area)
    with PUBLISHED.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if not row["Patient.Count"].isdigit() or not row["pop19"].isdigit():
                continue  # suppressed
            area, count = areas[row["LA.Code"]], int(row["Patient.Count"])
            area.population = int(row["pop19"])
            if row["Breakdown.Field"] == "ALL":
                area.on_list = count
            else:
                kind = {"Age": area.ages, "Gender": area.sexes, "Disease Group": area.groups}[row["Breakdown.Field"]]
                kind[row["Breakdown.Value"]] = count
    return {code: area for code, area in areas.items() if area.on_list and area.population}


class Meeting:
    """Makes records that meet a criterion, whatever it asks for."""

    def __init__(self, dice: random.Random, code_sets: dict[str, CodeSet]) -> None:
        self.dice = dice
        self.codes = {
            slug: sorted((system, code, "") for system, code in codes.codes) + sorted(codes.pairs)
            for slug, codes in code_sets.items()
        }

    def rows(self, person: int, clause: Clause) -> Iterator[Row]:
        if isinstance(clause, AllOf):
            for each in clause.clauses:
                yield from self.rows(person, each)
        elif isinstance(clause, AnyOf):
            # Whoever takes an immunosuppressant is of that group too, and would be counted in two.
            ways = [way for way in clause.clauses if "immunosuppressant" not in _lists(way)]
            yield from self.rows(person, self.dice.choice(ways or clause.clauses))
        elif isinstance(clause, SameEpisode):
            day, episode = self.day(clause.window), f"E{person}"
            for slug in (clause.code_list, clause.with_list):
                system, code, _ = self.code(slug, (Source.HOSPITAL,), alone=True)
                yield person, system, code, day, "HOSPITAL", episode, None
        elif isinstance(clause, Records):
            days_apart = clause.course_gap.value + 1 if clause.course_gap else 1
            last = self.day(clause.window, leaving=days_apart * (clause.at_least.value - 1))
            for number in range(clause.at_least.value):
                day = last - timedelta(days=days_apart * number)
                yield from self.record(person, clause.code_list, clause.sources, day)
        elif isinstance(clause, NotFollowedBy | LatestOfTwo):
            yield from self.record(person, clause.code_list, clause.sources, self.day(clause.window))
        else:
            assert isinstance(clause, Age), f"this test cannot make records for {type(clause).__name__}"

    def record(
        self, person: int, slug: str, sources: tuple[Source, ...], day: date, value: float | None = None
    ) -> Iterator[Row]:
        system, code, paired_code = self.code(slug, sources)
        source = SOURCE_OF.get(system, "HOSPITAL")
        episode = f"E{person}-{day}" if source == "HOSPITAL" else ""
        for each in filter(None, (code, paired_code)):
            yield person, system, each, day, source, episode, value

    def code(self, slug: str, sources: tuple[Source, ...], *, alone: bool = False) -> tuple[str, str, str]:
        fit = [c for c in self.codes[slug] if SOURCE_OF.get(c[0], "HOSPITAL") in sources and not (alone and c[2])]
        return self.dice.choice(fit)

    def day(self, window: AnyWindow | None, leaving: int = 0) -> date:
        first = window.start(SEARCH_DATE) if window else SEARCH_DATE - timedelta(days=3_000)
        return SEARCH_DATE - timedelta(days=self.dice.randint(0, (SEARCH_DATE - first).days - leaving))


def _lists(clause: Clause) -> set[str]:
    return {each.code_list for each in walk(clause) if isinstance(each, Records)}


@dataclass
class Country:
    """Invented people: the area, age and sex of each, the group they were drawn into, and their records."""

    people: list[tuple[int, date, str, str]] = field(default_factory=list)
    band: dict[int, str] = field(default_factory=dict)
    group: dict[int, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


def draw(areas: dict[str, Area], criteria: dict[str, Criterion]) -> Country:
    dice = random.Random(16_09_2020)  # noqa: S311 - people are invented
    country = Country()
    meeting = Meeting(dice, code_sets())
    councils = {code: area for code, area in areas.items() if code != ENGLAND}
    drawn = dice.choices(list(councils), [area.population for area in councils.values()], k=PEOPLE)
    for number, council in enumerate(drawn):
        person = int(invented_nhs_number(number))
        area = councils[council]
        is_on_list = dice.random() < area.on_list / area.population
        band = _chosen(dice, area.ages) if is_on_list else dice.choice(list(BANDS))
        sex = _chosen(dice, area.sexes)[0] if is_on_list else dice.choice("FM")
        age = dice.randint(*BANDS[band])
        born = SEARCH_DATE - timedelta(days=int(365.25 * age) + dice.randint(2, 360))
        country.people.append((person, born, sex, council))
        country.band[person] = band
        group = _chosen(dice, _shares(areas, area, band, sex)) if is_on_list else ""
        if group:
            country.group[person] = group
            country.rows.extend(meeting.rows(person, criteria[CRITERION_OF[group]].rule))
        else:
            country.rows.extend(_background(dice, meeting, person))
    return country


def _chosen(dice: random.Random, shares: dict[str, int] | dict[str, float]) -> str:
    return dice.choices(list(shares), list(shares.values()))[0]


def _shares(areas: dict[str, Area], area: Area, band: str, sex: str) -> dict[str, float]:
    """Returns how likely each group is for somebody on the list: "" where no group is the reason.

    The publication has groups by area, but not by age: who is old enough for COPD or young enough for a
    child is more likely to have it, so that the area's number comes out.
    """
    england = areas[ENGLAND]
    shares = {
        group: area.groups[group] / area.on_list
        if area.groups.get(group, 0) >= 100
        else england.groups[group] / england.on_list
        for group in CRITERION_OF
    }
    grown = [name for name, (youngest, _) in BANDS.items() if youngest >= 40]
    mothers = [name for name, (youngest, oldest) in BANDS.items() if youngest >= 18 and oldest < 50]
    listed = sum(area.ages.values())
    rest = 1 - sum(shares.values())
    is_grown = sum(area.ages.get(name, 0) for name in grown) / listed
    is_mother = (
        sum(area.ages.get(name, 0) for name in mothers) / listed * area.sexes["Female"] / sum(area.sexes.values())
    )
    copd = shares.pop(COPD)
    others = sum(shares.values())
    now = copd / is_grown if band in grown else 0.0
    shares = {group: share * (others + copd - now) / others for group, share in shares.items()}
    shares[COPD] = now
    shares[PREGNANT] = shares[PREGNANT] / is_mother if band in mothers and sex == "F" else 0.0
    return shares | {"": rest}


def _background(dice: random.Random, meeting: Meeting, person: int) -> Iterator[Row]:
    """Yields records that meet nothing: of no list, too few, too old, or ended."""

    def ago(days: int) -> date:
        return SEARCH_DATE - timedelta(days=days)

    for _ in range(3):
        yield person, "SNOMED", str(271_000_000 + dice.randint(1, 999)), ago(dice.randint(0, 3_000)), "GP", "", None
    if dice.random() < 0.06:
        yield from meeting.record(person, "asthma-inhaler", (Source.MEDICINES,), ago(dice.randint(0, 300)))
        for number in range(3):
            yield from meeting.record(person, "prednisolone", (Source.MEDICINES,), ago(10 + number))
    if dice.random() < 0.01:
        yield from meeting.record(person, "immunosuppressant", (Source.MEDICINES,), ago(dice.randint(190, 400)))
    if dice.random() < 0.01:
        yield from meeting.record(person, "haematological-cancer", (Source.GP, Source.HOSPITAL), ago(800))
    if dice.random() < 0.02:
        yield from meeting.record(person, "solid-cancer", (Source.GP, Source.HOSPITAL), ago(dice.randint(0, 900)))
    if dice.random() < 0.02:
        yield from meeting.record(person, "pregnancy", (Source.GP,), ago(200))
        yield from meeting.record(person, "delivery", (Source.GP,), ago(30))
        yield from meeting.record(person, "congenital-heart-disease", (Source.GP,), ago(2_000))


def write(folder: Path, country: Country) -> Path:
    folder.mkdir()
    names = ("person", "birth_date", "sex", "practice_code")
    patients = pa.table(dict(zip(names, zip(*country.people, strict=True), strict=True)))
    pq.write_table(patients.sort_by("person"), folder / "patients-000-of-001.parquet")
    names = ("person", "system", "code", "date", "source", "episode", "value")
    types = (pa.int64(), pa.string(), pa.string(), pa.date32(), pa.string(), pa.string(), pa.float64())
    columns = [pa.array(column, kind) for column, kind in zip(zip(*country.rows, strict=True), types, strict=True)]
    records = pa.table(columns, names=list(names))
    order = [(name, "ascending") for name in ("system", "code", "person", "date")]
    pq.write_table(records.sort_by(order), folder / "records-000-of-001.parquet")
    return folder


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Area], Country, dict[str, set[int]]]:
    """The publication, the people drawn from it, and whom the search finds by criterion."""
    areas = published()
    criteria = {criterion.slug: criterion for criterion in shipped_criteria()}
    country = draw(areas, criteria)
    folder = tmp_path_factory.mktemp("prevalence")
    run_search(
        criteria=list(criteria.values()),
        code_sets=code_sets(),
        extracts=[write(folder / "extract", country)],
        search_date=SEARCH_DATE,
        out=folder / "out",
        progress=lambda percent, doing: None,
    )
    found: dict[str, set[int]] = {slug: set() for slug in criteria}
    with duckdb.connect() as duck:
        for person, slug in duck.sql(f"SELECT person, criterion FROM '{folder}/out/flags-*.parquet'").fetchall():
            found[slug].add(person)
    return areas, country, found


def check_within_sampling_error(found: int, share: float, people: int, what: str) -> None:
    bound = STANDARD_ERRORS * sqrt(people * share * (1 - share)) + 1
    assert abs(found - people * share) <= bound, f"{what}: {found} found, {people * share:.0f} ± {bound:.0f} expected"


Searched = tuple[dict[str, Area], Country, dict[str, set[int]]]


@pytest.mark.parametrize("group", CRITERION_OF)
def test_as_many_are_found_in_each_disease_group_as_were_published(searched: Searched, group: str) -> None:
    areas, _, found = searched
    england = areas[ENGLAND]
    check_within_sampling_error(
        len(found[CRITERION_OF[group]]), england.groups[group] / england.population, PEOPLE, group
    )


@pytest.mark.parametrize("council", [BIRMINGHAM, LEEDS, COUNTY_DURHAM, WILTSHIRE])
def test_as_many_are_found_in_each_group_of_a_council_as_were_published(searched: Searched, council: str) -> None:
    areas, country, found = searched
    area = areas[council]
    residents = {person for person, _, _, code in country.people if code == council}
    assert len(residents) > 1_000
    compared = [group for group in CRITERION_OF if area.groups.get(group, 0) >= 100]
    assert len(compared) >= 7
    for group in compared:
        share = area.groups[group] / area.population
        found_here = len(found[CRITERION_OF[group]] & residents)
        check_within_sampling_error(found_here, share, len(residents), f"{group} in {council}")


@pytest.mark.parametrize("band", BANDS)
def test_as_many_are_found_of_each_age_as_were_published_for_a_disease_group(searched: Searched, band: str) -> None:
    areas, country, found = searched
    england = areas[ENGLAND]
    flagged = set().union(*(found[slug] for slug in CRITERION_OF.values()))
    with_a_group = sum(england.groups.values()) / england.on_list
    of_that_age = sum(country.band[person] == band for person in flagged)
    share = england.ages[band] / england.population * with_a_group
    check_within_sampling_error(of_that_age, share, PEOPLE, f"aged {band}")


def test_everybody_drawn_into_a_group_is_found_and_hardly_anybody_else(searched: Searched) -> None:
    _, country, found = searched
    missed = Counter(group for person, group in country.group.items() if person not in found[CRITERION_OF[group]])
    assert not missed
    flagged = set().union(*(found[slug] for slug in CRITERION_OF.values()))
    assert flagged == set(country.group)

"""An invented population, written directly in the layout of the extract store, as fast as the disk takes it.

    <folder>/week-1/{gp,medicines,hospital}/    three suppliers' extracts; the GP one has the patients
    <folder>/week-2/{gp,medicines}/             a week later: 1 % of the people changed

Nothing is sorted: codes are taken in order, and the people of each are drawn in order, one from each
of as many strata as there are people with the code. Only the first shard is drawn; the others are the
same records under other numbers, with details of their own. The same people, seed and code lists give the
same rows. Up to 900,000 people have NHS numbers of the 999 range; more need numbers that somebody
may have, which is why a population is never put in the repository.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.catalogue import KINDS, Stream, age_of, catalogue, is_female, shipped_lists
from benchmarks.drawing import ENCOUNTER, Drawn, Recipe, Shard
from cohort.extracts.store import shard_name

WEEK = timedelta(days=7)
#: The day of the first extracts. The second come a week later.
AS_AT = date(2020, 3, 20)
PEOPLE_PER_PRACTICE = 8_615
TEST_NUMBERS = 900_000
CHANGED_SHARE = 0.01
#: As `cohort.extracts.scratch` writes them.
_RECORDS_ROW_GROUP = 122_880
_PATIENTS_ROW_GROUP = 20_480

_NAMES = ["Amina", "Bob", "Charlie", "Dilys", "Efua", "Farah", "Gwen", "Hari", "Ifan", "Joan", "Kofi", "Lena"]
_FAMILIES = ["Abara", "Brown", "Chowdhury", "Davies", "Evans", "Fofana", "Green", "Hughes", "Iqbal", "Jones"]
_STREETS = ["High Street", "Mill Lane", "Church Road", "Station Road", "Victoria Road", "Green Lane"]


@dataclass(frozen=True)
class Population:
    """What was made: the folders of each week's extracts, newest first, and what it took."""

    people: int
    shards: int
    folder: Path
    seconds: float
    bytes: int
    rows: int

    @property
    def first_week(self) -> list[Path]:
        """The extracts of the first week."""
        return [self.folder / "week-1" / name for name in ("gp", "medicines", "hospital")]

    @property
    def second_week(self) -> list[Path]:
        """The extracts a week later; the hospitals have sent nothing new."""
        return [self.folder / "week-2" / name for name in ("gp", "medicines")] + [self.first_week[2]]


def shards_for(people: int) -> int:
    """Returns into how many files a table is divided: a power of two, 32 for England, at most 2 million people each."""
    return 1 << max(0, int(np.ceil(np.log2(people / 2_000_000))))


def practices_for(people: int) -> list[str]:
    """Returns the codes of the practices: P00001 and so on, 6,500 for England."""
    return [f"P{number:05}" for number in range(1, max(1, round(people / PEOPLE_PER_PRACTICE)) + 1)]


def make_population(folder: Path, people: int, *, shards: int | None = None, seed: int = 1) -> Population:
    """Makes the first week's extracts in `folder`, or takes those that are there if they would be the same."""
    return _make(folder, people, shards or shards_for(people), seed, week=1)


def make_next_week(folder: Path, people: int, *, shards: int | None = None, seed: int = 1) -> Population:
    """Makes the extracts of a week later, in which 1 % of the people have changed; the first week's must be there."""
    return _make(folder, people, shards or shards_for(people), seed, week=2)


def _make(folder: Path, people: int, shards: int, seed: int, *, week: int) -> Population:
    target = folder / f"week-{week}"
    told = target / "population.json"
    made_by = [Path(__file__), *(Path(__file__).with_name(f"{name}.py") for name in ("catalogue", "drawing"))]
    recipe = json.dumps([list(shipped_lists()), *(path.read_text(encoding="utf-8") for path in made_by)])
    wanted = {
        "people": people,
        "shards": shards,
        "seed": seed,
        "recipe": hashlib.sha256(recipe.encode()).hexdigest(),
    }
    if told.exists() and (there := json.loads(told.read_text()))["wanted"] == wanted:
        return Population(people, shards, folder, there["seconds"], there["bytes"], there["rows"])
    shutil.rmtree(target, ignore_errors=True)
    began = time.monotonic()
    rows = _Writer(target, people, shards, seed, week).write()
    seconds = time.monotonic() - began
    size = sum(path.stat().st_size for path in target.rglob("*.parquet"))
    told.write_text(json.dumps({"wanted": wanted, "seconds": seconds, "bytes": size, "rows": rows}))
    return Population(people, shards, folder, seconds, size, rows)


def nhs_numbers(people: int) -> np.ndarray:
    """Returns so many NHS numbers with a right check digit, ascending: of the 999 range while they last."""
    first = 999_000_000 if people <= TEST_NUMBERS else 900_000_000
    found: list[np.ndarray] = []
    while sum(map(len, found)) < people:
        stems = np.arange(first, first + min(4_000_000, people * 2), dtype=np.int64)
        first += len(stems)
        weighted = sum(stems // 10 ** (place - 2) % 10 * place for place in range(2, 11))
        digits = -weighted % 11
        found.append((stems * 10 + digits)[digits < 10])
    return np.concatenate(found)[:people]


class _Writer:
    """Writes the extracts of one week."""

    def __init__(self, target: Path, people: int, shards: int, seed: int, week: int) -> None:
        self.target = target
        self.people = people
        self.shards = shards
        self.seed = seed
        self.week = week
        self.recipe = Recipe(seed, week, AS_AT, np.random.default_rng(seed).permutation(KINDS))
        self.duck = duckdb.connect()

    def write(self) -> int:
        """Returns how many rows of records there are."""
        streams = catalogue()
        everybody = nhs_numbers(self.people)
        names = {"gp": "GP", "medicines": "MEDICINES"} | ({"hospital": "HOSPITAL"} if self.week == 1 else {})
        for name in names:
            (self.target / name).mkdir(parents=True)
        rows = 0
        differ: dict[str, list[np.ndarray]] = {name: [] for name in names}
        own = everybody[everybody % self.shards == 0]
        changed = np.zeros(len(own), bool)
        if self.week > 1:
            changed[np.random.default_rng([self.seed, 1_000_000]).random(len(own)) < CHANGED_SHARE] = True
        moved = changed & (np.arange(len(own)) % 3 == 0)
        for name, source in names.items():
            shard = Shard(0, own, changed, np.zeros(len(own), bool))
            paths = [self.target / name / shard_name("records", number, self.shards) for number in range(self.shards)]
            rows += self._write_records(paths[0], source, streams[source], shard, changed & ~moved)
            for number, path in enumerate(paths[1:], start=1):
                rows += self._renumber(paths[0], path, number)
            if name == "gp":
                shard.kept |= moved
            differ[name] = [own[shard.kept] + number for number in range(self.shards)]
        for number in range(self.shards):
            # Numbers of the other shards need no right check digit: nothing that reads the store looks at it.
            self._write_patients(number, own + number, moved)
        if self.week > 1:
            for name, people in differ.items():
                self._copy(pa.table({"person": np.sort(np.concatenate(people))}), "*", self.target / name / "changed")
                self._write_rows_of_changed(self.target / name)
        return rows

    def _write_rows_of_changed(self, extract: Path) -> None:
        """Writes the changed people's rows, as `cohort.extracts.changes` does when it loads an extract."""
        for table, order in (("records", "system, code, person, date"), ("patients", "person")):
            for path in sorted(extract.glob(f"{table}-*.parquet")):
                self.duck.execute(
                    f"COPY (SELECT * FROM read_parquet('{path}') WHERE person IN"
                    f" (SELECT person FROM read_parquet('{extract / 'changed.parquet'}'))"
                    f" ORDER BY {order}) TO '{path.with_name(f'changed-{path.name}')}'"
                    f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_RECORDS_ROW_GROUP})"
                )

    def _copy(self, rows: pa.Table | pa.RecordBatchReader, select: str, path: Path, row_group: int = 122_880) -> int:
        target = str(path.with_suffix(".parquet")).replace("'", "''")
        self.duck.register("made", rows)
        (count,) = self.duck.execute(
            f"COPY (SELECT {select} FROM made) TO '{target}'"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group})"
        ).fetchall()[0]
        self.duck.unregister("made")
        return int(count)

    def _renumber(self, source: Path, path: Path, by: int) -> int:
        """Writes a shard's records for another shard's people, in the same order."""
        (count,) = self.duck.execute(
            f"COPY (SELECT * REPLACE (person + {by} AS person) FROM read_parquet('{source}')) TO '{path}'"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_RECORDS_ROW_GROUP})"
        ).fetchall()[0]
        return int(count)

    def _write_patients(self, number: int, own: np.ndarray, moved: np.ndarray) -> None:
        kinds = np.argsort(self.recipe.place_of_kind)[np.arange(len(own)) % KINDS]
        ages = np.array([age_of(kind) for kind in range(KINDS)])[kinds]
        women = np.array([is_female(kind) for kind in range(KINDS)])[kinds]
        table = pa.table({"person": own, "age": ages, "female": women, "moved": moved})
        practices = len(practices_for(self.people))
        day = f"DATE '{AS_AT}'"
        died = "age > 0 AND hash(person, 10) % 200 = 0"
        select = f"""
            person, {_pick(_NAMES, 1)} AS given_name, {_pick(_FAMILIES, 2)} AS family_name,
            ({day} - to_years(age::INTEGER) - to_days((hash(person, 3) % 365)::INTEGER))::DATE AS birth_date,
            CASE WHEN female THEN 'F' ELSE 'M' END AS sex,
            printf('P%05d', 1 + (hash(person, 4) % {practices})::BIGINT) AS practice_code,
            [concat(1 + hash(person, 5) % 200 + CASE WHEN moved THEN 1 ELSE 0 END, ' ', {_pick(_STREETS, 6)}), 'Town']
                AS address_lines,
            'SM1 1AA' AS postcode, (100000000 + hash(person, 7) % 99999999)::VARCHAR AS uprn, false AS no_fixed_abode,
            CASE WHEN hash(person, 8) % 3 > 0 THEN concat('077009', 10000 + hash(person, 9) % 90000) ELSE '' END
                AS mobile,
            '' AS landline, '' AS email,
            CASE WHEN {died} THEN 'FORMAL' ELSE '' END AS death_status,
            CASE WHEN {died} THEN {day} - (hash(person, 11) % 60)::INTEGER END AS death_date,
            false AS is_restricted, false AS is_invalid, '' AS moved_away_code, false AS asked_not_to_be_contacted,
            []::VARCHAR[] AS unsafe_channels, '' AS safe_contact_instruction"""
        path = self.target / "gp" / shard_name("patients", number, self.shards)
        self._copy(table, select, path, _PATIENTS_ROW_GROUP)

    def _write_records(self, path: Path, source: str, streams: list[Stream], shard: Shard, changed: np.ndarray) -> int:
        if source == "GP" and self.week > 1:
            streams = sorted([*streams, Stream("SNOMED", ENCOUNTER, ())], key=lambda each: (each.system, each.code))
        drawn = Drawn(self.recipe, source, streams, shard, changed)
        reader = pa.RecordBatchReader.from_batches(drawn.schema, drawn.batches())
        episode = "concat('E', spell)" if source == "HOSPITAL" else "''"
        select = (
            f"person, system::VARCHAR AS system, code::VARCHAR AS code, date, '{source}' AS source,"
            f" {episode} AS episode, value"
        )
        return self._copy(reader, select, path, _RECORDS_ROW_GROUP)


def _pick(words: Sequence[str], salt: int) -> str:
    listed = ", ".join(f"'{word}'" for word in words)
    return f"[{listed}][1 + (hash(person, {salt}) % {len(words)})::BIGINT]"

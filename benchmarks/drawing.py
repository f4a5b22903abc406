"""The records of one source in one shard of an invented population, drawn code by code."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from benchmarks.catalogue import KINDS, SPELLS, Part, Stream

#: A GP record of the second week that everybody who changed has, unless they moved house.
ENCOUNTER = "308335008"
#: Rows that DuckDB is handed at once.
BATCH = 122_880
_CHUNK = 1 << 20
_SLOT_DAYS = 3_650 // SPELLS
_EPOCH = date(1970, 1, 1)


@dataclass
class Shard:
    """The people of one shard. `changed` are marked by their place in `people`."""

    number: int
    people: np.ndarray
    changed: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """What the people of every shard have in common: `place_of_kind` says where in a thousand a kind is."""

    seed: int
    week: int
    as_at: date
    place_of_kind: np.ndarray


Columns = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]


class Drawn:
    """The records of one source in one shard, drawn code by code. Columns are place, day, spell, value."""

    def __init__(self, recipe: Recipe, source: str, streams: list[Stream], shard: Shard, changed: np.ndarray) -> None:
        self.recipe = recipe
        self.in_hospital = source == "HOSPITAL"
        self.streams = streams
        self.shard = shard
        self.changed = changed
        self.blocks = len(shard.people) // KINDS
        self.today = (recipe.as_at - _EPOCH).days
        self.news = np.random.default_rng([recipe.seed, shard.number, 2_000_000])
        systems = sorted({stream.system for stream in streams})
        self.systems = pa.array(systems)
        self.system_of = np.array([systems.index(stream.system) for stream in streams], np.int32)
        self.codes = pa.array([stream.code for stream in streams])
        self.schema = pa.schema(
            [
                ("person", pa.int64()),
                ("system", pa.dictionary(pa.int32(), pa.string())),
                ("code", pa.dictionary(pa.int32(), pa.string())),
                ("date", pa.date32()),
                ("spell", pa.int64()),
                ("value", pa.float64()),
            ]
        )
        self.places: dict[tuple[int, ...], np.ndarray] = {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows, many codes at a time: DuckDB takes small batches slowly."""
        waiting: list[tuple[int, Columns]] = []
        rows = 0
        for number, columns in self._by_code():
            waiting.append((number, columns))
            rows += len(columns[0])
            if rows >= BATCH:
                yield self._batch(waiting)
                waiting, rows = [], 0
        if waiting:
            yield self._batch(waiting)

    def _batch(self, waiting: list[tuple[int, Columns]]) -> pa.RecordBatch:
        rows = [len(columns[0]) for _, columns in waiting]
        place = np.concatenate([columns[0] for _, columns in waiting])
        day = np.concatenate([columns[1] for _, columns in waiting])
        number = np.repeat(np.array([number for number, _ in waiting], np.int32), rows)
        spell = value = None
        if self.in_hospital:
            spell = place * SPELLS + np.concatenate([_or(columns[2], -1, columns) for _, columns in waiting])
        if any(columns[3] is not None for _, columns in waiting):
            value = np.concatenate([_or(columns[3], np.nan, columns) for _, columns in waiting])
        return pa.RecordBatch.from_arrays(
            [
                pa.array(self.shard.people[place]),
                pa.DictionaryArray.from_arrays(pa.array(self.system_of[number]), self.systems),
                pa.DictionaryArray.from_arrays(pa.array(number), self.codes),
                pa.array(day.astype(np.int32)).cast(pa.date32()),
                pa.nulls(len(place), pa.int64()) if spell is None else pa.array(spell),
                pa.nulls(len(place), pa.float64()) if value is None else pa.array(value, from_pandas=True),
            ],
            schema=self.schema,
        )

    def _by_code(self) -> Iterator[tuple[int, Columns]]:
        for number, stream in enumerate(self.streams):
            if len(stream.parts) == 1:
                drawn = self._part(stream.parts[0])
            elif stream.parts:
                drawn = iter([_merged([each for part in stream.parts for each in self._part(part)])])
            else:
                drawn = iter([self._encounters()])
            for columns in drawn:
                if len(columns[0]):
                    yield number, self._a_week_later(columns) if self.recipe.week > 1 and stream.parts else columns

    def _part(self, part: Part) -> Iterator[Columns]:
        """Yields a part's rows in order of person and date, in chunks."""
        dice = np.random.default_rng([self.recipe.seed, self.shard.number, part.key])
        places = self._places(part.kinds)
        slots = SPELLS if self.in_hospital else 1
        slots = min(slots, max(1, round(part.days / _SLOT_DAYS)))
        room = self.blocks * len(places) * slots
        each = 1 if self.in_hospital else part.records
        wanted = part.per_million * len(self.shard.people) / 1e6 * (part.records / each)
        count = min(int(wanted + dice.random()), room)
        last = -1
        step = max(1, _CHUNK // each)
        for begin in range(0, count, step):
            end = min(begin + step, count)
            drawn = ((np.arange(begin, end) + dice.random(end - begin)) * (room / count)).astype(np.int64)
            fresh = np.diff(drawn, prepend=last) > 0
            last = int(drawn[-1])
            drawn = drawn[fresh]
            spell = drawn % slots + (SPELLS - slots) if self.in_hospital else None
            block, position = np.divmod(drawn // slots, len(places))
            place = block * KINDS + places[position]
            if spell is not None:
                yield place, self._day_of_spell(place, spell), spell, None
                continue
            day = self.today - part.days + (dice.random((len(place), each)) + np.arange(each)) * (part.days / each)
            values = None
            if part.values is not None:
                low, high = part.values
                values = np.round(low + dice.random(len(place) * each) * (high - low), 1)
            yield np.repeat(place, each), day.ravel().astype(np.int64), None, values

    def _places(self, kinds: tuple[int, ...]) -> np.ndarray:
        """Returns where in each thousand people those kinds are, ascending."""
        if kinds not in self.places:
            self.places[kinds] = np.sort(self.recipe.place_of_kind[list(kinds)])
        return self.places[kinds]

    def _day_of_spell(self, place: np.ndarray, spell: np.ndarray) -> np.ndarray:
        """Returns the day of a spell, whatever the code: codes of one spell have one day."""
        mixed = (place * SPELLS + spell) * 2_654_435_761 % 4_294_967_296 // 65_536
        return self.today - (SPELLS - spell) * _SLOT_DAYS + mixed % _SLOT_DAYS

    def _a_week_later(self, columns: Columns) -> Columns:
        """Takes away one in ten records of those who changed, and gives others a record of the last week."""
        place, day, _, value = columns
        if not len(place):
            return columns
        gone = self.changed[place] & (self.news.random(len(place)) < 0.1)
        self.shard.kept[place[gone]] = True
        stay = ~gone
        place, day, value = place[stay], day[stay], None if value is None else value[stay]
        if not len(place):
            return place, day, None, value
        among = np.flatnonzero(self.changed[place[0] : place[-1] + 1]) + place[0]
        extra = among[self.news.random(len(among)) < min(1.0, gone.sum() / max(1, len(among)))]
        self.shard.kept[extra] = True
        at = np.searchsorted(place, extra, side="right")
        place = np.insert(place, at, extra)
        day = np.insert(day, at, self.today + 1 + self.news.integers(0, 7, len(extra)))
        if value is not None:
            value = np.insert(value, at, 1.0)
        return place, day, None, value

    def _encounters(self) -> Columns:
        place = np.flatnonzero(self.changed)
        self.shard.kept[place] = True
        return place, self.today + 1 + place % 7, None, None


def _or(column: np.ndarray | None, nothing: float, columns: Columns) -> np.ndarray:
    return np.full(len(columns[0]), nothing) if column is None else column


def _merged(drawn: list[Columns]) -> Columns:
    """Puts parts of one code together, in order of person and date."""
    drawn = [columns for columns in drawn if len(columns[0])]
    if len(drawn) < 2:
        return drawn[0] if drawn else (np.zeros(0, np.int64), np.zeros(0, np.int64), None, None)
    place = np.concatenate([columns[0] for columns in drawn])
    day = np.concatenate([columns[1] for columns in drawn])
    order = np.lexsort((day, place))
    spell = value = None
    if any(columns[2] is not None for columns in drawn):
        spell = np.concatenate([_or(columns[2], -1, columns) for columns in drawn])[order]
    if any(columns[3] is not None for columns in drawn):
        value = np.concatenate([_or(columns[3], np.nan, columns) for columns in drawn])[order]
    return place[order], day[order], spell, value

"""How many people a draft finds in the whole extract, where, and what that changes: counts, never names.

A count is remembered for a week under exactly what was counted, so that a page can show it again
and never shows the count of something else.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from django.core.cache import cache

from cohort.models import Extract
from cohort.queries.criteria import code_sets, last_run
from cohort.queries.drafts import Opened
from cohort.queries.extracts import folders, newest_extracts
from cohort.queries.incremental import results_folder
from cohort.search.codec import from_json
from cohort.search.preview import Cell, preview
from shielding.accounts.models import Organisation
from shielding.places.queries import local_authorities_for

#: People of working age are this old, both ages counting.
WORKING_AGE = (16, 64)
NOWHERE = "Not known"
_SEX = {"F": "Female", "M": "Male", "O": "Other", "U": "Not known"}
_REMEMBERED_SECONDS = 7 * 24 * 3600


class NothingToCount(Exception):
    """No extract has been loaded, or its files are gone."""


@dataclass
class Tally:
    """People by whether they meet the draft and what is in force: draft - gained + lost = published."""

    name: str
    draft: int = 0
    published: int = 0
    gained: int = 0
    lost: int = 0

    def add(self, is_draft: bool, is_published: bool, people: int) -> None:
        """Counts people of one kind."""
        self.draft += people * is_draft
        self.published += people * is_published
        self.gained += people * (is_draft and not is_published)
        self.lost += people * (is_published and not is_draft)


@dataclass(frozen=True)
class ClauseCount:
    """How many people a clause is true of, and how many are left after it and those before it beside it."""

    path: str
    label: str
    people: int
    remaining: int


@dataclass(frozen=True)
class Count:
    """What counting a draft found. The lists are of ages from the youngest, of areas by name."""

    search_date: date
    extracts: list[str]
    seconds: float
    has_published: bool
    total: Tally
    working_age: Tally
    ages: list[Tally] = field(default_factory=list)
    sexes: list[Tally] = field(default_factory=list)
    systems: list[Tally] = field(default_factory=list)
    authorities: list[Tally] = field(default_factory=list)
    clauses: list[ClauseCount] = field(default_factory=list)


def remembered(found: Opened) -> Count | None:
    """Returns the count of the draft as it stands in the extracts as they stand, or None: nobody has asked for it."""
    extracts = newest_extracts()
    count: Count | None = cache.get(_key(found, extracts, _searched(extracts)[0])) if extracts else None
    return count


def count_people(found: Opened) -> Count:
    """Returns how many people the draft finds, and what that changes. Takes seconds. Raises NothingToCount."""
    extracts = newest_extracts()
    there = folders(extracts)
    if not there:
        raise NothingToCount("No extract has been loaded yet, so there is nobody to count.")
    based_on = found.draft.based_on
    search_date, results = _searched(extracts)
    answer = preview(
        draft=found.criterion,
        draft_code_sets=found.code_sets,
        published=from_json(based_on.definition) if based_on else None,
        published_code_sets=code_sets(based_on.code_lists.select_related("code_list")) if based_on else {},
        extracts=there,
        search_date=search_date,
        results=results,
    )
    area_of, system_of = _areas({cell.practice_code for cell in answer.cells}, search_date)
    count = Count(
        search_date,
        [str(extract) for extract in extracts],
        answer.seconds,
        based_on is not None,
        *_totals(answer.cells),
        ages=sorted(_tallied(answer.cells, _five_years), key=lambda row: _lowest(row.name)),
        sexes=_tallied(answer.cells, lambda cell: _SEX.get(cell.sex, NOWHERE)),
        systems=_tallied(answer.cells, lambda cell: system_of.get(cell.practice_code, NOWHERE)),
        authorities=_tallied(answer.cells, lambda cell: area_of.get(cell.practice_code, NOWHERE)),
        clauses=[ClauseCount(each.path, each.label, each.people, each.remaining) for each in answer.clauses],
    )
    cache.set(_key(found, extracts, search_date), count, _REMEMBERED_SECONDS)
    return count


def _searched(extracts: list[Extract]) -> tuple[date, Path | None]:
    """Returns the day to count on, and what the last search left, to begin from, where it searched these extracts.

    The day is then that search's, so that a count and its numbers can be compared; else the newest extract's.
    """
    last = last_run()
    if last and set(last.extracts.all()) == set(extracts) and results_folder(last.pk).is_dir():
        return last.search_date, results_folder(last.pk)
    return max(extract.as_at for extract in extracts), None


def _key(found: Opened, extracts: list[Extract], day: date) -> str:
    parts = [found.revision.fingerprint, str(found.draft.based_on_id), str(day), *(str(each.pk) for each in extracts)]
    return f"preview-{hashlib.sha256(' '.join(parts).encode()).hexdigest()}"


def _totals(cells: Iterable[Cell]) -> tuple[Tally, Tally]:
    total, working = Tally("Everybody"), Tally("Working age, 16 to 64")
    for cell in cells:
        total.add(cell.draft, cell.published, cell.people)
        if WORKING_AGE[0] <= _lowest(cell.age_band) and _highest(cell.age_band) <= WORKING_AGE[1]:
            working.add(cell.draft, cell.published, cell.people)
    return total, working


def _tallied(cells: Iterable[Cell], name_of: Callable[[Cell], str]) -> list[Tally]:
    tallies: dict[str, Tally] = defaultdict(lambda: Tally(""))
    for cell in cells:
        name = name_of(cell)
        tallies[name].name = name
        tallies[name].add(cell.draft, cell.published, cell.people)
    return sorted(tallies.values(), key=lambda row: (row.name == NOWHERE, row.name))


def _five_years(cell: Cell) -> str:
    """Returns the band of five years: a preview tells 15 from 16 to 19, for working age."""
    return "15-19" if cell.age_band in {"15", "16-19"} else cell.age_band


def _lowest(band: str) -> int:
    return int(band.split("-")[0].rstrip("+"))


def _highest(band: str) -> int:
    return 200 if band.endswith("+") else int(band.split("-")[-1])


def _areas(practices: set[str], on: date) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the name of the local authority and of the ICS of each practice that is known, by its code."""
    rows = Organisation.objects.filter(code__in=practices).values_list("code", "postcode", "ics__name")
    authorities = local_authorities_for({postcode for _, postcode, _ in rows}, on)
    area_of = {code: authorities[postcode].name for code, postcode, _ in rows if authorities[postcode]}  # type: ignore[union-attr]
    return area_of, {code: name for code, _, name in rows if name}

"""Loading a supplier's extract: from its folder to the extract store and one Extract row."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cohort.actions.demographics import refresh_people
from cohort.extracts import mappings, store
from cohort.extracts.loading import FileCount, Loaded, TableCount, TablesRefused
from cohort.extracts.loading import load as load_files
from cohort.extracts.reading import Unreadable, find_files
from cohort.models import Extract
from cohort.queries import extracts as extract_queries
from shielding.accounts.models import Organisation


class ExtractRefused(Exception):
    """Nothing was loaded and nothing is left; `problems` says why, with no data in it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class LoadReport:
    """What came of a load. `is_new` is False where the same files had been loaded before.

    `rejected_folder` holds one CSV for each file that had bad rows: line, column, reason, then the row.
    """

    extract: Extract
    is_new: bool
    tables: tuple[TableCount, ...]
    rejected_folder: Path
    notes: tuple[str, ...]


def load_extract(
    *,
    folder: Path,
    supplier: str,
    as_at: date,
    at: datetime,
    mapping: str | None = None,
    practice_code: str = "",
    reject_above: float = 0.1,
) -> LoadReport:
    """Checks and loads the tables in `folder` (docs/extract.md) and returns what was loaded and rejected.

    Bad rows are kept apart with their reasons; good rows go on. People who are in PostgreSQL already
    get the extract's details (addresses, deaths), in the same transaction. Loading the same files for the same
    supplier again changes nothing. `mapping` (docs/mappings.md) reads a folder of another shape, and
    puts people without a practice under `practice_code`.

    Raises ExtractRefused where a file cannot be read, a required column is missing, or more than the
    share `reject_above` of a table's rows are bad. Not one transaction: loading takes minutes, so only
    the row is, and what a crash leaves behind the next load removes.
    """
    _check_arguments(folder, supplier, as_at, at, mapping)
    target = settings.EXTRACT_STORE
    _clean(target)
    try:
        paths, ignored = _files_to_load(folder, mapping)
        sha256 = store.fingerprint(paths, salt=mapping or "")
        if before := Extract.objects.filter(supplier=supplier, sha256=sha256).first():
            return _loaded_before(before)
        extract_id = uuid.uuid4()
        with holding(extract_id):
            scratch = store.begin(target, extract_id)
            try:
                previous = extract_queries.newest_extract_of(supplier)
                loaded = _load(folder, paths, scratch, as_at, mapping, practice_code, reject_above, previous)
                if store.fingerprint(paths, salt=mapping or "") != sha256:
                    raise ExtractRefused(["The files changed while they were being read. Load them again."])
                store.finish(target, extract_id, scratch / "made")
            except BaseException:
                store.discard(target, extract_id)
                raise
            notes = [f"Ignored files that are no table: {', '.join(ignored)}."] if ignored else []
            notes += [*loaded.notes, *_shrunk(previous, loaded.counts)]
            extract = record(
                Extract(
                    id=extract_id, supplier=supplier, as_at=as_at, sha256=sha256, loaded_at=at, changed_since=previous
                ),
                loaded,
                notes,
            )
    except (TablesRefused, mappings.CannotMap) as error:
        raise ExtractRefused(error.problems) from error
    except Unreadable as error:
        raise ExtractRefused([str(error)]) from error
    except IntegrityError:
        _clean(target)
        if before := Extract.objects.filter(supplier=supplier, sha256=sha256).first():
            return _loaded_before(before)
        raise
    return LoadReport(
        extract=extract,
        is_new=True,
        tables=loaded.counts,
        rejected_folder=target / extract.folder / store.REJECTED,
        notes=tuple(notes),
    )


def _check_arguments(folder: Path, supplier: str, as_at: date, at: datetime, mapping: str | None) -> None:
    problems = []
    if not folder.is_dir():
        problems.append(f"There is no folder {folder}.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,49}", supplier):
        problems.append("The supplier's name must be small letters, digits, - and _, at most 50 of them.")
    if as_at > timezone.localdate(at):
        # One wrong year would make this extract the newest for ever, and never stale.
        problems.append(f"The as-at date {as_at} is in the future.")
    if mapping is not None and mapping not in mappings.MAPPINGS:
        problems.append(f"There is no mapping {mapping}; there are {', '.join(mappings.MAPPINGS)}.")
    if problems:
        raise ExtractRefused(problems)


def _files_to_load(folder: Path, mapping: str | None) -> tuple[list[Path], list[str]]:
    if mapping:
        return mappings.source_files(mapping, folder), []
    files, ignored = find_files(folder)
    if not files:
        raise ExtractRefused([f"There is no table in {folder}: it should hold patients.csv, events.csv and so on."])
    return [file.path for file in files], ignored


def _load(
    folder: Path,
    paths: list[Path],
    scratch: Path,
    as_at: date,
    mapping: str | None,
    practice_code: str,
    reject_above: float,
    previous: Extract | None,
) -> Loaded:
    practices = known_practices()
    mapped = mappings.Mapped([])
    if mapping:
        tables = scratch / "mapped"
        tables.mkdir()
        is_open = [code for code, closed_date in practices if closed_date is None or closed_date > as_at]
        mapped = mappings.map_tables(
            mapping,
            folder,
            tables,
            as_at=as_at,
            practices=is_open,
            practice_code=practice_code,
            reject_above=reject_above,
            memory_limit=settings.EXTRACT_MEMORY_LIMIT,
        )
        folder = tables
    files, _ = find_files(folder)
    loaded = load_files(
        files,
        made=scratch / "made",
        scratch=scratch,
        as_at=as_at,
        practices=practices,
        reject_above=reject_above,
        memory_limit=settings.EXTRACT_MEMORY_LIMIT,
        shards=settings.EXTRACT_SHARDS,
        previous=extract_queries.extract_folder(previous) if previous else None,
    )
    unreadable = mappings.write_unreadable(mapped.unreadable, scratch / "made" / store.REJECTED)
    return replace(
        loaded,
        counts=(*loaded.counts, *unreadable),
        files=(
            *loaded.files,
            *(FileCount(c.table, c.table, 0, c.rejected, c.rejected_files[0], ()) for c in unreadable),
        ),
        notes=(*mapped.notes, *loaded.notes),
    )


def known_practices() -> list[tuple[str, date | None]]:
    """Returns the code and closing date of every practice, by code."""
    practices = Organisation.objects.filter(kind=Organisation.Kind.PRACTICE)
    return list(practices.values_list("code", "closed_date").order_by("code"))


def record(extract: Extract, loaded: Loaded, notes: list[str]) -> Extract:
    """Saves the row of an extract that is in its place in the store, and refreshes the people it tells of."""
    with transaction.atomic():
        extract.folder = str(extract.pk)
        extract.accepted_rows = {count.table: count.accepted for count in loaded.counts}
        extract.rejected_rows = {count.table: count.rejected for count in loaded.counts}
        extract.files = [asdict(file) for file in loaded.files]
        extract.notes = notes
        if not loaded.has_changes:
            extract.changed_since = None
        extract.save(force_insert=True)
        transaction.on_commit(lambda: store.confirm(settings.EXTRACT_STORE, extract.pk))
        for patients in extract_queries.patients_paths([extract]):
            refresh_people(patients=patients, as_at=extract.as_at, at=extract.loaded_at)
    return extract


def _loaded_before(extract: Extract) -> LoadReport:
    folder = settings.EXTRACT_STORE / extract.folder
    if not folder.is_dir():
        raise ExtractRefused(
            [f"These files were loaded as {extract.id}, but its folder is gone from the extract store."]
        )
    rejected = folder / store.REJECTED
    names = sorted(path.name for path in rejected.glob("*.csv"))
    tables = tuple(
        TableCount(
            table,
            accepted,
            extract.rejected_rows.get(table, 0),
            tuple(name for name in names if name == f"{table}.csv" or name.startswith(f"{table}-")),
        )
        for table, accepted in extract.accepted_rows.items()
    )
    return LoadReport(extract=extract, is_new=False, tables=tables, rejected_folder=rejected, notes=())


def _shrunk(previous: Extract | None, counts: tuple[TableCount, ...]) -> Iterator[str]:
    """Says which tables are less than half of what the supplier sent before: a search reads the newest alone."""
    for count in counts if previous else ():
        before = previous.accepted_rows.get(count.table, 0) if previous else 0
        if count.accepted * 2 < before:
            yield (
                f"{count.table}: {count.accepted:,} rows, where the extract before had {before:,}. Searches read the"
                " newest extract of each supplier alone: send a whole one, mended rows included."
            )
    sent = {table for table, rows in previous.accepted_rows.items() if rows} if previous else set()
    missing = sent - {count.table for count in counts}
    for table in sorted(missing):
        yield f"{table}: not in this extract, though in the one before; searches will not see it."


@contextmanager
def holding(extract_id: uuid.UUID) -> Iterator[None]:
    """Holds a lock for as long as the extract is being made, or the process lives: see `_clean`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_key(extract_id)])
        try:
            yield
        finally:
            if not connection.needs_rollback and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_key(extract_id)])


def _clean(target: Path) -> None:
    """Removes what loads left behind whose process died, and nothing that is still being made."""
    for extract_id in store.unfinished(target):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_key(extract_id)])
            if cursor.fetchone() != (True,):
                continue
            try:
                if Extract.objects.filter(pk=extract_id).exists():
                    store.confirm(target, extract_id)
                    store.discard_loading(target, extract_id)
                else:
                    store.discard(target, extract_id)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_key(extract_id)])


def _key(extract_id: uuid.UUID) -> int:
    return int.from_bytes(extract_id.bytes[:8], signed=True)

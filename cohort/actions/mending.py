"""Rejected rows: given to an operator to mend, taken back, and added to a new extract, whole or not at all."""

import contextlib
import csv
import logging
import re
import shutil
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from cohort.actions.extracts import holding, known_practices, record
from cohort.extracts import store
from cohort.extracts.loading import FileCount, Loaded, TableCount, TablesRefused
from cohort.extracts.mending import Mended, mend
from cohort.extracts.reading import Unreadable
from cohort.extracts.schema import TABLES, Table
from cohort.models import Extract, MendedRows, Patient
from cohort.policies import check_can_run_search
from cohort.queries import extracts as extract_queries
from cohort.spreadsheets import UnreadableCsv, marked_lines, unmarked_rows
from shielding.accounts.models import Membership
from shielding.audit.actions import record_download

logger = logging.getLogger(__name__)
_SENT = ".mended-"
_NHS_NUMBER = re.compile(r"\d{3} ?\d{3} ?\d{4}")
_LOOK_UP = 5_000
_LEFT_SECONDS = 60 * 60


class NotMendable(Exception):
    """Mended rows cannot be taken now; the message says why and what to do."""


def read_rejected(*, extract: Extract, name: str, by: Membership | None, at: datetime) -> Iterator[bytes]:
    """Returns a file of rejected rows as CSV that survives a spreadsheet, line by line, and logs the download.

    The log names whoever of these people is a patient here. Raises NotAllowed, and FileNotFoundError
    where the extract has no such file.
    """
    membership = check_can_run_search(by)
    path = extract_queries.rejected_file(extract, name)
    if path is None:
        raise FileNotFoundError(name)
    patient_ids = set(_patients_in(path))
    record_download(by=membership, what="cohort:rejected_rows", patient_ids=patient_ids, at=at)
    return marked_lines(_rows(path))


def send_mended_rows(
    *, extract: Extract, name: str, content: Iterable[bytes], by: Membership | None, at: datetime
) -> MendedRows:
    """Takes a mended file of rejected rows, for a worker to add, and returns the job.

    Raises NotAllowed, and NotMendable where the extract is not its supplier's newest, has no such
    file, or other rows of it are being added.
    """
    membership = check_can_run_search(by)
    _check_is_newest(extract)
    if extract_queries.rejected_file(extract, name) is None or _table_of(name) is None:
        raise NotMendable("Choose one of the files of this extract that can be mended here.")
    try:
        with transaction.atomic():
            job = MendedRows.objects.create(extract=extract, file=name, sent_by=membership.user, sent_at=at)
            folder = _folder(job.pk)
            folder.mkdir(parents=True)
            with (folder / name).open("wb") as file:
                file.writelines(content)
    except IntegrityError as error:
        raise NotMendable("Mended rows of this extract are being added now. Wait until that is done.") from error
    return job


def add_mended_rows(*, mended_id: UUID, now: Callable[[], datetime]) -> None:
    """Makes a new extract of the old one's good rows and the mended. Safe to call at any time, by any worker.

    It is the supplier's newest once all is done; until then nothing changes. A job refused says why
    in `problems`, without data. A worker that dies leaves the job to the next call.
    """
    _tidy(now())
    with _held(mended_id) as is_ours:
        job = MendedRows.objects.select_related("extract").filter(pk=mended_id, state__in=MendedRows.ACTIVE).first()
        if not is_ours or job is None:
            return
        job.state = MendedRows.State.RUNNING
        job.save()
        try:
            _add(job, now)
        except (TablesRefused, Unreadable, UnreadableCsv, NotMendable) as error:
            problems = error.problems if isinstance(error, TablesRefused) else [str(error)]
            _end(job, MendedRows.State.REFUSED, problems, now())
        except Exception as error:
            # The text of an unexpected error may quote a person's data, so only its kind and place are kept.
            kind = type(error).__name__
            logger.error("Mending %s failed: %s\n%s", job.pk, kind, "".join(traceback.format_tb(error.__traceback__)))
            _end(job, MendedRows.State.FAILED, [f"The work stopped: {kind}. Nothing was changed."], now())
        shutil.rmtree(_folder(job.pk), ignore_errors=True)


def _add(job: MendedRows, now: Callable[[], datetime]) -> None:
    base, target = job.extract, settings.EXTRACT_STORE
    table = _table_of(job.file)
    upload = _folder(job.pk) / job.file
    if table is None or not upload.exists():
        raise NotMendable("The file that was sent is gone. Send it again.")
    _check_is_newest(base)
    extract = Extract(
        id=uuid.uuid4(),
        supplier=base.supplier,
        as_at=base.as_at,
        sha256=store.fingerprint([upload], salt=base.sha256),
        changed_since=base,
    )
    with holding(extract.pk):
        scratch = store.begin(target, extract.pk)
        try:
            mended = mend(
                old=extract_queries.extract_folder(base),
                name=job.file,
                table=table,
                upload=_unmarked(upload, scratch / "upload" / job.file),
                made=scratch / "made",
                scratch=scratch,
                as_at=base.as_at,
                practices=known_practices(),
                memory_limit=settings.EXTRACT_MEMORY_LIMIT,
                tell=lambda doing: _tell(job, doing),
            )
            store.finish(target, extract.pk, scratch / "made")
            _tell(job, "Bringing people's details up to date")
            with transaction.atomic():
                _check_is_newest(base)
                at = now()
                extract.loaded_at = at
                note = (
                    f"{mended.accepted:,} of {mended.sent:,} mended rows of {job.file} were added to what"
                    f" was loaded before."
                )
                record(extract, _loaded(base, job.file, table, mended), [note])
                job.result = extract
                _end(job, MendedRows.State.ADDED, [], at)
        except BaseException:
            store.discard(target, extract.pk)
            raise


def _loaded(base: Extract, name: str, table: Table, mended: Mended) -> Loaded:
    """Returns the counts of the new extract: the old one's, but for this table and file."""
    counts = tuple(
        TableCount(
            each,
            accepted + (mended.accepted if each == table.name else 0),
            base.rejected_rows.get(each, 0) - (mended.accepted if each == table.name else 0),
        )
        for each, accepted in base.accepted_rows.items()
    )
    files = []
    for before in base.files:
        file = FileCount(**{**before, "reasons": tuple(before["reasons"])})
        if file.rejected_file == name:
            left = name if mended.rejected else ""
            accepted = file.accepted + mended.accepted
            file = FileCount(file.table, file.file, accepted, mended.rejected, left, mended.reasons)
        files.append(file)
    return Loaded(counts, tuple(files), (), has_changes=True)


def _tidy(at: datetime) -> None:
    """Removes what was sent for jobs that have ended, or never began, because their process died."""
    active = {_folder(mended_id) for mended_id in extract_queries.active_mending_ids()}
    for folder in settings.EXTRACT_STORE.glob(f"{_SENT}*"):
        if folder not in active and at.timestamp() - folder.stat().st_mtime > _LEFT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _check_is_newest(extract: Extract) -> None:
    newest = extract_queries.newest_extract_of(extract.supplier)
    if newest is None or newest.pk != extract.pk:
        raise NotMendable(f"There is a newer extract of {extract.supplier}. Mend the rows rejected from that one.")


def _table_of(name: str) -> Table | None:
    return next((table for table in TABLES if re.fullmatch(rf"{table.name}(-[^.]+)?\.csv", name)), None)


def _unmarked(upload: Path, plain: Path) -> Path:
    """Takes the marks for spreadsheets off a file."""
    plain.parent.mkdir()
    with upload.open(encoding="utf-8-sig", newline="") as lines, plain.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows(unmarked_rows(lines))
    return plain


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def _patients_in(path: Path) -> Iterator[UUID]:
    """Yields the ids of the patients whose NHS number is anywhere in the file."""
    numbers: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        for line in file:
            numbers.update(number.replace(" ", "") for number in _NHS_NUMBER.findall(line))
            if len(numbers) >= _LOOK_UP:
                yield from Patient.objects.filter(nhs_number__in=numbers).values_list("pk", flat=True)
                numbers.clear()
    yield from Patient.objects.filter(nhs_number__in=numbers).values_list("pk", flat=True)


def _tell(job: MendedRows, doing: str) -> None:
    MendedRows.objects.filter(pk=job.pk).update(doing=doing)


def _end(job: MendedRows, state: MendedRows.State, problems: list[str], at: datetime) -> None:
    job.state, job.problems, job.finished_at, job.doing = state, problems, at, ""
    if state != MendedRows.State.ADDED:
        job.result = None
    job.save()


def _folder(mended_id: UUID) -> Path:
    return settings.EXTRACT_STORE / f"{_SENT}{mended_id}"


@contextlib.contextmanager
def _held(mended_id: UUID) -> Iterator[bool]:
    """Holds the job for this database session, which a dying worker gives up with its connection."""
    key = int.from_bytes(mended_id.bytes[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_ours,) = cursor.fetchone()
        try:
            yield is_ours
        finally:
            if is_ours:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])

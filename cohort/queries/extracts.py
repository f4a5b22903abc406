"""Reads of loaded extracts: which are newest, where their files are, and one person's row."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from cohort.extracts import store
from cohort.extracts.scratch import small_database
from cohort.models import Extract, MendedRows, SourceAgeLimit
from shielding.accounts.models import Organisation

#: Of a person, what an extract says of them; their NHS number, practice and date are called otherwise there.
PATIENT_FIELDS = (
    "given_name",
    "family_name",
    "birth_date",
    "sex",
    "address_lines",
    "postcode",
    "uprn",
    "no_fixed_abode",
    "mobile",
    "landline",
    "email",
    "death_status",
    "death_date",
    "is_restricted",
    "is_invalid",
    "moved_away_code",
    "asked_not_to_be_contacted",
    "unsafe_channels",
    "safe_contact_instruction",
)


def newest_extracts() -> list[Extract]:
    """Returns the newest extract of each supplier, by as-at date then moment of loading; the newest first."""
    newest = Extract.objects.order_by("supplier", "-as_at", "-loaded_at", "pk").distinct("supplier")
    return sorted(newest, key=lambda extract: (extract.as_at, extract.loaded_at), reverse=True)


def newest_extract_of(supplier: str) -> Extract | None:
    """Returns the supplier's newest extract, by as-at date then moment of loading, or None."""
    return Extract.objects.filter(supplier=supplier).order_by("-as_at", "-loaded_at", "pk").first()


def all_extracts() -> list[Extract]:
    """Returns every extract, the latest loaded first."""
    return list(Extract.objects.order_by("-loaded_at"))


def rejected_file(extract: Extract, name: str) -> Path | None:
    """Returns one of the extract's files of rejected rows by its name, or None where it has none of that name."""
    return next((path for path in rejected_files(extract) if path.name == name), None)


def rejected_files(extract: Extract) -> list[Path]:
    """Returns the extract's files of rejected rows, by name."""
    return sorted((extract_folder(extract) / store.REJECTED).glob("*.csv"))


def mendings(extract: Extract) -> QuerySet[MendedRows]:
    """Returns what became of mended rows sent for the extract, the latest first."""
    return extract.mendings.select_related("sent_by", "result").order_by("-sent_at")


def active_mending_ids() -> list[UUID]:
    """Returns the mended rows that wait for a worker or are being added, the oldest first."""
    active = MendedRows.objects.filter(state__in=MendedRows.ACTIVE)
    return list(active.order_by("sent_at").values_list("pk", flat=True))


def extract_folder(extract: Extract) -> Path:
    """Returns the folder of the extract's Parquet files and rejected rows."""
    return settings.EXTRACT_STORE / extract.folder


def folders(extracts: Iterable[Extract]) -> list[Path]:
    """Returns the extracts' folders that are there, in the order given."""
    return [folder for folder in map(extract_folder, extracts) if folder.is_dir()]


def patients_paths(extracts: Iterable[Extract]) -> list[Path]:
    """Returns the files of patients of those extracts, in the order given; of one extract by shard."""
    return [path for extract in extracts for path in store.shard_paths(extract_folder(extract), "patients")]


def records_paths(extracts: Iterable[Extract]) -> list[Path]:
    """Returns the files of records of those extracts, in the order given; of one extract by shard."""
    return [path for extract in extracts for path in store.shard_paths(extract_folder(extract), "records")]


def age_limits() -> dict[str, int]:
    """Returns the age limit in days of each supplier that has one of its own; `age_limit_of` knows them all."""
    return dict(SourceAgeLimit.objects.values_list("supplier", "days"))


def age_limit_of(supplier: str) -> int:
    """Returns how many days old the supplier's newest extract may be."""
    return age_limits().get(supplier, settings.SOURCE_AGE_LIMIT_DAYS)


def stale_extracts(extracts: Iterable[Extract], *, on: date) -> list[Extract]:
    """Returns the extracts that are older on that date than their supplier may be, in the order given."""
    own, usual = age_limits(), settings.SOURCE_AGE_LIMIT_DAYS
    return [extract for extract in extracts if (on - extract.as_at).days > own.get(extract.supplier, usual)]


def registered_person(*, nhs_number: str, birth_date: date, practice: Organisation) -> dict[str, Any] | None:
    """Returns the details of somebody registered at this practice, or None.

    The keys are what `Patient.objects.create(**details)` takes: `nhs_number`, `practice`, `as_at`
    (of the extract) and `PATIENT_FIELDS`. They come from the newest of the suppliers'
    newest extracts that has the person at this practice. Somebody of another practice, with
    another date of birth, or in no extract gives None just the same, so that nothing is told.
    """
    digits = nhs_number.replace(" ", "")
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return None
    for extract in newest_extracts():
        path = store.shard_of(extract_folder(extract), "patients", int(digits))
        if path is None:
            continue
        with small_database() as connection:
            row = connection.execute(
                f"SELECT {', '.join(PATIENT_FIELDS)} FROM read_parquet($path)"
                " WHERE person = $person AND birth_date = $birth_date AND practice_code = $practice",
                {"path": str(path), "person": int(digits), "birth_date": birth_date, "practice": practice.code},
            ).fetchone()
        if row:
            details = dict(zip(PATIENT_FIELDS, row, strict=True))
            return {"nhs_number": digits, "practice": practice, "as_at": extract.as_at, **details}
    return None

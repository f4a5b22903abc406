"""What the tests of validation share: an extract store with registered people in it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest
from django.conf import settings

from cohort.models import Extract
from shielding.accounts.models import Organisation
from tests.cohort.factories import NOW

#: Hugo is registered at the first practice and no search finds him.
HUGO = "9999000002"
HUGO_BORN = date(1970, 1, 9)

COLUMNS = {
    "person": "BIGINT",
    "given_name": "VARCHAR",
    "family_name": "VARCHAR",
    "birth_date": "DATE",
    "sex": "VARCHAR",
    "practice_code": "VARCHAR",
    "address_lines": "VARCHAR[]",
    "postcode": "VARCHAR",
    "uprn": "VARCHAR",
    "no_fixed_abode": "BOOLEAN",
    "mobile": "VARCHAR",
    "landline": "VARCHAR",
    "email": "VARCHAR",
    "death_status": "VARCHAR",
    "death_date": "DATE",
    "is_restricted": "BOOLEAN",
    "is_invalid": "BOOLEAN",
    "moved_away_code": "VARCHAR",
    "asked_not_to_be_contacted": "BOOLEAN",
    "unsafe_channels": "VARCHAR[]",
    "safe_contact_instruction": "VARCHAR",
}


@pytest.fixture
def register(db: None) -> Callable[..., None]:
    """Returns a function that loads an extract with one person registered at a practice."""

    def _register(
        practice: Organisation, nhs_number: str = HUGO, as_at: date = date(2020, 3, 14), **fields: Any
    ) -> None:
        defaults: dict[str, Any] = dict.fromkeys(COLUMNS, "")
        defaults |= {name: False for name, kind in COLUMNS.items() if kind == "BOOLEAN"}
        row = defaults | {
            "person": int(nhs_number),
            "given_name": "Hugo",
            "family_name": "Nowak",
            "birth_date": HUGO_BORN,
            "sex": "M",
            "practice_code": practice.code,
            "address_lines": ["3 Mill Lane", "Sutton"],
            "postcode": "SM1 1AA",
            "mobile": "07700900456",
            "death_date": None,
            "unsafe_channels": [],
            **fields,
        }
        extract = Extract(supplier="gp", as_at=as_at, sha256=f"{row}"[:64], folder="unset", loaded_at=NOW)
        extract.folder = str(extract.pk)
        folder = settings.EXTRACT_STORE / extract.folder
        folder.mkdir(parents=True)
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE p ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
            connection.execute(
                f"INSERT INTO p VALUES ({', '.join('?' * len(COLUMNS))})", [row[name] for name in COLUMNS]
            )
            connection.execute(f"COPY p TO '{folder / 'patients-000-of-001.parquet'}' (FORMAT parquet)")
        extract.save()

    return _register

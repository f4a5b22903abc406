"""Brings people's details from the extract store into PostgreSQL when somebody other than a search names them."""

from datetime import datetime
from typing import Any

import pyarrow as pa

from cohort.actions.demographics import copy_people, insert_people, private_database, update_people
from cohort.queries import extracts


def bring_in(cursor: Any, numbers: pa.Array, *, at: datetime) -> None:
    """Brings in the details of these people (NHS numbers as integers), each from the newest extract that knows them.

    Whoever is in no extract, or registered at a practice that is not known here, is left as they are.
    """
    with private_database() as duck:
        duck.register("asked_numbers", pa.table({"person": numbers}))
        duck.execute("CREATE TABLE wanted AS FROM asked_numbers")
        for extract in extracts.newest_extracts():
            paths = [str(path) for path in extracts.patients_paths([extract])]
            if not paths:
                continue
            duck.execute(
                "CREATE OR REPLACE TABLE known AS SELECT p.* FROM read_parquet($1) p SEMI JOIN wanted USING (person)",
                [paths],
            )
            copy_people(cursor, duck.table("known"))
            update_people(cursor, as_at=extract.as_at, at=at)
            insert_people(cursor, as_at=extract.as_at)
            duck.execute("DELETE FROM wanted WHERE person IN (SELECT person FROM known)")

"""The application's role owns nothing, so nothing it does can undo a protection."""

import pytest
from django.db import ProgrammingError, connection


@pytest.mark.django_db
def test_application_role_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE cohort_listfact DISABLE TRIGGER ALL",
        "TRUNCATE audit_readlog",
        "DROP TABLE cohort_patient",
    ],
)
def test_application_role_cannot_undo_protections(statement: str) -> None:
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute(statement)

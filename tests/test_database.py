"""The application's role owns nothing, so nothing it does can undo a protection; and what `migrate` refuses."""

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("app", ["accounts", "audit", "cohort", "coordinators", "letters"])
def test_a_database_between_migrations_that_are_one_since_is_refused(app: str) -> None:
    call_command("migrate", check_unapplied=True, verbosity=0)  # ends with status 1 where something is left to do
    last = MigrationRecorder.Migration.objects.filter(app=app).exclude(name__contains="squashed").latest("name")
    try:
        last.delete()
        with pytest.raises(CommandError, match=f"lacks {app}.{last.name}"):
            call_command("migrate", verbosity=0)
    finally:
        MigrationRecorder(connection).record_applied(app, last.name)
    call_command("migrate", check_unapplied=True, verbosity=0)

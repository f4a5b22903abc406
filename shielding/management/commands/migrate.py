"""`migrate`, run as the owner of the database.

The application's own role owns nothing, so it cannot change a table or switch off a trigger. This
command alone connects as the owner, and gives the application role what it needs, no more. It refuses a
database whose migrations stopped between some that are one file since.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class Command(migrate.Command):
    """Django's migrate with the owner's sign-in (`DATABASE_OWNER_URL`)."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Grants, then migrates; `CommandError` where only an earlier version's files can go on."""
        if not settings.DATABASE_OWNER:
            raise CommandError("Set DATABASE_OWNER_URL: migrations run as the owner of the database.")
        connection = connections[options["database"]]
        application = dict(connection.settings_dict)
        owner = {name: settings.DATABASE_OWNER[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
        connection.close()
        connection.settings_dict.update(owner)
        try:
            with connection.cursor() as cursor:
                role = connection.ops.quote_name(application["USER"])
                for statement in (
                    f"GRANT USAGE ON SCHEMA public TO {role}",
                    "ALTER DEFAULT PRIVILEGES IN SCHEMA public "
                    f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
                    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
                ):
                    cursor.execute(statement)
            _refuse_between(set(MigrationRecorder(connection).applied_migrations()))
            super().handle(*args, **options)
        finally:
            connection.close()
            connection.settings_dict.update(application)
        return None


def _refuse_between(applied: set[tuple[str, str]]) -> None:
    """Raises where part of what one file replaces was applied, and the rest is no longer there to apply.

    Django itself leaves such a file out: nothing of its app is migrated, often without a word.
    """
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    for migration in loader.disk_migrations.values():
        lacking = [old for old in migration.replaces if old not in applied and old not in loader.disk_migrations]
        if lacking and not applied.isdisjoint(migration.replaces):
            raise CommandError(
                f"This database lacks {'.'.join(lacking[0])}, which is part of {migration.name} now. Run `migrate` of "
                f"the last version that has {lacking[-1][1]}.py, then this one; or begin with an empty database."
            )

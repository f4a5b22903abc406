"""`migrate`, run as the owner of the database.

The application's own role owns nothing, so it cannot change a table or switch off a trigger. This
command alone connects as the owner, and gives the application role what it needs, no more.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Django's migrate with the owner's sign-in (`DATABASE_OWNER_URL`)."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Grants, then migrates."""
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
            super().handle(*args, **options)
        finally:
            connection.close()
            connection.settings_dict.update(application)
        return None

"""What every test shares: a database for each worker, and folders of its own.

The application role is used throughout, as in production: only `migrate`, and emptying tables after
a transactional test, use the owner's sign-in.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from xdist.scheduler import LoadScopeScheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Has one process run the journeys, since most go through the one country; who is free takes each other test."""
    return _JourneysTogether(config, log)


class _JourneysTogether(LoadScopeScheduling):
    """Not `--dist loadgroup`: pytest 9.2 does not let pytest-xdist 3.8 mark the groups."""

    def _split_scope(self, nodeid: str) -> str:
        journeys = "tests/journeys/"
        return journeys if nodeid.startswith(journeys) else nodeid


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    """Gives each test its own extract store and hand-over folder, plain static files, and quick passwords."""
    settings.EXTRACT_STORE = tmp_path / "extract_store"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RUN_FOLDER = tmp_path / "runs"
    settings.HANDOVER_FOLDER = tmp_path / "handover"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def _owner_connection(database: str) -> Any:
    from django.conf import settings

    owner = settings.DATABASE_OWNER
    parameters = {"dbname": database, "user": owner["USER"], "password": owner["PASSWORD"], **owner.get("OPTIONS", {})}
    if owner["HOST"]:
        parameters |= {"host": owner["HOST"], "port": owner["PORT"] or 5432}
    connection = psycopg2.connect(**parameters)
    connection.autocommit = True
    return connection


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Makes a database for this worker, migrated by the owner, used by the application role."""
    from django.db import connection

    from tests.schema import migrate_or_recall

    original = connection.settings_dict["NAME"]
    name = f"test_{original}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    admin = _owner_connection("postgres")
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = name
        owner = _owner_connection(name)
        migrate_or_recall(owner)
        owner.close()
        yield
        connection.close()
        connection.settings_dict["NAME"] = original
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(autouse=True, scope="session")
def _empty_tables_as_owner() -> None:
    """Lets transactional tests empty tables: the application role rightly may not."""
    from django.db import connection
    from django.test import TransactionTestCase

    def truncate(self: TransactionTestCase) -> None:
        owner = _owner_connection(connection.settings_dict["NAME"])
        with owner.cursor() as cursor:
            tables = ", ".join(
                connection.ops.quote_name(table)
                for table in connection.introspection.django_table_names(only_existing=True, include_views=False)
                if table not in {"django_migrations", "django_content_type", "auth_permission"}
            )
            cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        owner.close()

    TransactionTestCase._fixture_teardown = truncate  # type: ignore[method-assign]

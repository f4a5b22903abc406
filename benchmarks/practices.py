"""A database of practices with their lists, invented by PostgreSQL itself: millions of entries in minutes.

NHS numbers begin with 999; past 900,000 people their check digits do not hold, so nobody has them.
"""

import os
from typing import Any

from benchmarks.tables import indexed_at_the_end

LARGE, SMALL = 3_300, 50
LARGE_CODE, SMALL_CODE = "B00001", "B00002"
CENTRE = "centre@example.test"
USERS = 20
PASSWORD = "a long enough password"  # noqa: S105 - of invented users in a database that is thrown away
#: One round of hashing: what is measured is pages, not passwords.
_ROUNDS = 1

_GROUPS = (
    "Respiratory (severe COPD)",
    "Cancer (haematological, within 24 months)",
    "Respiratory (severe asthma)",
    "Immunosuppression therapy",
    "Rare genetic, metabolic and autoimmune diseases",
    "Transplants (solid)",
)
#: Person `n`, from 1: the first 3,300 at the large practice, the next 50 at the small one, the others in turn.
_PEOPLE = """
CREATE TEMPORARY TABLE people AS
SELECT n, gen_random_uuid() AS id, CASE WHEN n <= %(large)s THEN 1 WHEN n <= %(large)s + %(small)s THEN 2
    ELSE 3 + n %% (%(practices)s - 2) END AS practice, 1 + n %% 3 AS strength FROM generate_series(1, %(entries)s) n
"""
_STATEMENTS = (
    "INSERT INTO accounts_organisation (id, code, name, kind, address_lines, postcode, phone)"
    " SELECT gen_random_uuid(), 'B' || lpad(n::text, 5, '0'), 'Practice ' || n, 'PRACTICE', '{}', '', ''"
    " FROM generate_series(1, %(practices)s) n",
    "INSERT INTO cohort_searchrun (id, state, search_date, requested_at, started_at, finished_at, percent, doing,"
    "  error, stale_sources_reason, kind, kind_reason)"
    " VALUES (gen_random_uuid(), 'LANDED', '2020-03-14', %(at)s, %(at)s, %(at)s, 100, '', '', '', 'FULL', '')",
    "INSERT INTO cohort_practicelist (id, run_id, practice_id, due_date)"
    " SELECT gen_random_uuid(), r.id, o.id, '2020-03-27' FROM cohort_searchrun r, accounts_organisation o",
    "INSERT INTO cohort_patient (id, nhs_number, given_name, family_name, birth_date, sex, practice_id, address_lines,"
    "  postcode, uprn, no_fixed_abode, mobile, landline, email, death_status, is_restricted, is_invalid,"
    "  moved_away_code, asked_not_to_be_contacted, unsafe_channels, safe_contact_instruction, as_at)"
    " SELECT p.id, '999' || lpad(p.n::text, 7, '0'), initcap(translate(substr(md5('g' || p.n), 1, 6), '0123456789',"
    "  'aeioulnrst')), initcap(translate(substr(md5('f' || p.n %% 40000), 1, 8), '0123456789', 'aeioulnrst')),"
    "  date '1930-01-01' + (p.n::bigint * 7919 %% 30000)::int, CASE p.n %% 2 WHEN 0 THEN 'F' ELSE 'M' END, o.id,"
    "  '{1 Mill Lane,Sutton}', 'SM1 1AA', '', false, '07700900123', '', '', '', false, false, '', false, '{}', '',"
    "  '2020-03-14' FROM people p JOIN accounts_organisation o ON o.code = 'B' || lpad(p.practice::text, 5, '0')",
    "INSERT INTO cohort_listfact (patient_id, source, request, reason, at, run_id)"
    " SELECT p.id, 'ALGORITHM', 'ADD', '', %(at)s, r.id FROM people p, cohort_searchrun r",
    "INSERT INTO cohort_flag (run_id, patient_id, criterion_version_id, fingerprint)"
    " SELECT r.id, p.id, v.id, p.n FROM people p CROSS JOIN cohort_searchrun r JOIN bench_versions v"
    "  ON v.number = p.n %% 6 OR (p.n %% 4 = 0 AND v.number = (p.n + 1) %% 6)",
    "INSERT INTO cohort_evidence (flag_id, clause, system, code, term, event_date, source, detail)"
    " SELECT f.id, 'A record, ever', 'SNOMED', (70536003 + k)::text, 'Something recorded', date '2019-01-01'"
    "  + (p.n %% 400)::int, CASE WHEN p.strength = 1 AND k = 2 THEN 'HOSPITAL' ELSE 'GP' END, '' FROM cohort_flag f"
    "  JOIN people p ON p.id = f.patient_id CROSS JOIN generate_series(1, 3) k WHERE p.strength < 3 OR k = 1",
)


def fill(cursor: Any, *, practices: int, entries: int, at: Any) -> None:
    """Fills an empty, migrated database: practices, users of two, and everybody's list entries."""
    from cohort.actions.order import sort_key

    values = {"practices": practices, "entries": entries, "large": LARGE, "small": SMALL, "at": at}
    # What is invented refers to what is there: its checks took a quarter of the time.
    cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL enable_nestloop = off")
    cursor.execute(_PEOPLE, values)
    cursor.execute("ANALYZE people")
    _criteria(cursor, at)
    for statement in _STATEMENTS:
        cursor.execute(statement, values)
    cursor.execute(
        "INSERT INTO cohort_listentry (patient_id, is_on_list, because_id, changed_at, is_flagged, practice_list_id,"
        "  review_state, removal_reason, removal_detail, listed_at, strength, sort_key)"
        " SELECT p.id, true, f.id, %(at)s, true, l.id, 'TO_REVIEW', '', '', %(at)s, s.strength,"
        f" {sort_key('s.strength', 'p')} FROM people x JOIN cohort_patient p ON p.id = x.id"
        " JOIN cohort_listfact f ON f.patient_id = p.id JOIN cohort_practicelist l ON l.practice_id = p.practice_id"
        " CROSS JOIN LATERAL (SELECT (ARRAY['CLEAR', 'LIKELY', 'DOUBTFUL'])[x.strength] AS strength) s",
        values,
    )
    cursor.execute("SET LOCAL session_replication_role = origin")
    _users(cursor, at)
    _operator()


def _criteria(cursor: Any, at: Any) -> None:
    cursor.execute("CREATE TEMPORARY TABLE bench_versions (id uuid, number int)")
    from cohort.models import Criterion, CriterionVersion

    for number, group in enumerate(_GROUPS):
        criterion = Criterion.objects.create(slug=f"bench-{number}", title=group, tier="HIGH", disease_group=group)
        version = CriterionVersion.objects.create(
            criterion=criterion, number=1, definition={}, plain_english=group, published_at=at
        )
        cursor.execute("INSERT INTO bench_versions VALUES (%s, %s)", [str(version.pk), number])


def _users(cursor: Any, at: Any) -> None:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=_ROUNDS)
    cursor.execute(
        "WITH made AS (INSERT INTO accounts_user (id, email, name, password, is_active, is_staff, is_superuser,"
        "  joined_at) SELECT gen_random_uuid(), lower(code) || '-' || n || '@example.test', 'User ' || n, %(password)s,"
        "  true, false, false, %(at)s FROM unnest(%(codes)s) code, generate_series(1, %(users)s) n RETURNING id, email)"
        " INSERT INTO accounts_membership (id, user_id, organisation_id, role)"
        " SELECT gen_random_uuid(), made.id, o.id, 'GP' FROM made"
        " JOIN accounts_organisation o ON lower(o.code) = split_part(made.email, '-', 1)",
        {"password": password, "at": at, "codes": [LARGE_CODE, SMALL_CODE], "users": USERS},
    )


def _operator() -> None:
    from shielding.accounts.actions import make_user
    from shielding.accounts.models import Organisation, Role

    centre = Organisation.objects.create(code="CENTRE", name="National team", kind=Organisation.Kind.CENTRE)
    make_user(email=CENTRE, name="Olu Adams", password=PASSWORD, organisation=centre, role=Role.CENTRAL_OPERATOR)


def prepare(*, practices: int, entries: int) -> dict[str, Any]:
    """Makes the tables of the database in DATABASE_URL, empty before, and fills them."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    django.setup()
    from datetime import UTC, datetime
    from time import monotonic

    from django.core.management import call_command
    from django.db import connection, transaction

    began = monotonic()
    call_command("migrate", verbosity=0)
    with indexed_at_the_end("cohort_%"), transaction.atomic(), connection.cursor() as cursor:
        fill(cursor, practices=practices, entries=entries, at=datetime(2020, 3, 20, 9, tzinfo=UTC))
    return {"seconds": monotonic() - began}

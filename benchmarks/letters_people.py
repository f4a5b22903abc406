"""People cleared for contact, invented by PostgreSQL itself: a million in a minute or two.

Their practices have added them, so no search is needed. Of each 100 people 2 have died, 1 has no
usable address, 20 have no mobile, 1 must not be contacted by text. NHS numbers begin with 999; past
900,000 people their check digits do not hold, so nobody has them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.tables import analyze, checked_at_the_end, indexed_at_the_end

#: Ten in the morning in London.
AT = datetime(2020, 3, 21, 10, tzinfo=UTC)
_CARE_SYSTEMS = 42

_SETTINGS = "SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '128MB'"
_PLACES = (
    "INSERT INTO accounts_organisation (id, code, name, kind, address_lines, postcode, phone)"
    " SELECT gen_random_uuid(), 'QB' || n, 'Care system ' || n, 'ICS', '{}', '', ''"
    " FROM generate_series(1, %(care_systems)s) n",
    "INSERT INTO accounts_organisation (id, code, name, kind, ics_id, address_lines, postcode, phone)"
    " SELECT gen_random_uuid(), 'B' || lpad(n::text, 5, '0'), 'Mill Lane Surgery ' || n, 'PRACTICE', ics.id,"
    "  ARRAY[n || ' Mill Lane', 'Sutton'], 'SM1 1AA', '01632 960001' FROM generate_series(1, %(practices)s) n"
    " JOIN accounts_organisation ics ON ics.code = 'QB' || 1 + n %% %(care_systems)s",
    "INSERT INTO cohort_searchrun (id, state, search_date, requested_at, started_at, finished_at, percent, doing,"
    "  error, stale_sources_reason, kind, kind_reason)"
    " VALUES (gen_random_uuid(), 'LANDED', '2020-03-14', %(at)s, %(at)s, %(at)s, 100, '', '', '', 'FULL', '')",
    "INSERT INTO cohort_practicelist (id, run_id, practice_id, due_date)"
    " SELECT gen_random_uuid(), r.id, o.id, '2020-03-27' FROM cohort_searchrun r, accounts_organisation o"
    " WHERE o.kind = 'PRACTICE'",
)
#: Person `n`, from `first` to `last`.
_PEOPLE = (
    "INSERT INTO cohort_patient (id, nhs_number, given_name, family_name, birth_date, sex, practice_id, address_lines,"
    "  postcode, uprn, no_fixed_abode, mobile, landline, email, death_status, is_restricted, is_invalid,"
    "  moved_away_code, asked_not_to_be_contacted, unsafe_channels, safe_contact_instruction, as_at)"
    " SELECT gen_random_uuid(), '999' || lpad(n::text, 7, '0'), initcap(translate(substr(md5('g' || n), 1, 6),"
    "  '0123456789', 'aeioulnrst')), initcap(translate(substr(md5('f' || n %% 40000), 1, 8), '0123456789',"
    "  'aeioulnrst')), date '1930-01-01' + (n::bigint * 7919 %% 30000)::int,"
    "  CASE n %% 2 WHEN 0 THEN 'F' ELSE 'M' END, o.id,"
    "  CASE WHEN n %% 100 = 7 THEN '{}'::varchar[] ELSE ARRAY[1 + n %% 300 || ' Mill Lane', 'Sutton'] END,"
    "  'SM1 1AA', '', false, CASE WHEN n %% 5 = 0 THEN '' ELSE '07700' || 900000 + n %% 100000 END, '', '',"
    "  CASE WHEN n %% 50 = 3 THEN 'FORMAL' ELSE '' END, false, false, '', false,"
    "  CASE WHEN n %% 100 = 9 THEN '{SMS}'::varchar[] ELSE '{}' END, '', '2020-03-14'"
    " FROM generate_series(%(first)s, %(last)s) n"
    " JOIN accounts_organisation o ON o.code = 'B' || lpad((1 + n %% %(practices)s)::text, 5, '0')",
    "INSERT INTO cohort_listfact (patient_id, source, request, reason, at, by_id, organisation_id)"
    " SELECT p.id, 'GP', 'ADD', '', %(at)s, %(reviewer)s, p.practice_id FROM cohort_patient p"
    " WHERE NOT EXISTS (SELECT 1 FROM cohort_listfact there WHERE there.patient_id = p.id)",
    "INSERT INTO cohort_listentry (patient_id, is_on_list, because_id, changed_at, is_flagged, practice_list_id,"
    "  review_state, reviewed_at, reviewed_by_id, removal_reason, removal_detail, listed_at)"
    " SELECT p.id, true, f.id, %(at)s, false, l.id, 'CONFIRMED', %(at)s, %(reviewer)s, '', '', %(at)s"
    " FROM cohort_patient p JOIN cohort_listfact f ON f.patient_id = p.id"
    " JOIN cohort_practicelist l ON l.practice_id = p.practice_id"
    " WHERE NOT EXISTS (SELECT 1 FROM cohort_listentry there WHERE there.patient_id = p.id)",
)


@dataclass(frozen=True)
class Senders:
    """Who plans and releases batches, and the second person, who approves them."""

    operator: Any
    second: Any


def fill(*, people: int, practices: int) -> Senders:
    """Fills the empty, migrated database in DATABASE_URL: everybody is on the list and confirmed. Returns who sends."""
    from django.db import connection, transaction

    from shielding.accounts.models import Membership, Organisation, Role, User

    with transaction.atomic(), connection.cursor() as cursor:
        centre = Organisation.objects.create(code="X26", name="National team", kind=Organisation.Kind.CENTRE)
        operator, second = (
            Membership.objects.create(
                user=User.objects.create(email=f"{name}@example.test", name=name.title()),
                organisation=centre,
                role=Role.CENTRAL_OPERATOR,
            )
            for name in ("operator", "operator2")
        )
        places: dict[str, Any] = {"practices": practices, "care_systems": _CARE_SYSTEMS, "at": AT}
        cursor.execute(_SETTINGS)
        for statement in _PLACES:
            cursor.execute(statement, places)
    add_people(first=1, last=people, practices=practices, reviewer=operator.user)
    return Senders(operator, second)


def add_people(*, first: int, last: int, practices: int, reviewer: Any) -> None:
    """Adds the people of these numbers to the places that `fill` has made."""
    from django.db import connection, transaction

    values: dict[str, Any] = {
        "first": first,
        "last": last,
        "practices": practices,
        "at": AT,
        "reviewer": str(reviewer.pk),
    }
    with checked_at_the_end("cohort_%"), indexed_at_the_end("cohort_%"):
        for statement in _PEOPLE:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_SETTINGS)
                cursor.execute(statement, values)
    analyze("%")

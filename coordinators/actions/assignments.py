"""Who leads for whom: everybody validated gets a coordinator, and those who need none lose theirs."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q

from cohort.models import Patient
from coordinators.models import Assignment
from shielding.accounts.models import Role

#: How many people one call takes, so that a transaction is short.
AT_A_TIME = 10_000
_PRACTICES_AT_A_TIME = 50

#: The words of `queries.waiting_for_a_coordinator`, for set-based writing.
_WAITING = """
    FROM cohort_listentry entry
    JOIN cohort_patient patient ON patient.id = entry.patient_id
    WHERE entry.is_on_list AND entry.review_state <> 'TO_REVIEW' AND patient.death_status <> 'FORMAL'
    AND NOT EXISTS (
        SELECT 1 FROM coordinators_assignment held WHERE held.patient_id = patient.id AND held.ended_at IS NULL
    )
"""
_COORDINATORS = """
    FROM accounts_membership member
    JOIN accounts_user person ON person.id = member.user_id AND person.is_active
    WHERE member.role = 'COORDINATOR' AND member.ended_at IS NULL
"""
#: One worker has a practice to itself, or two would fill up the same coordinator. NO KEY UPDATE lets
#: others go on registering people there meanwhile. MATERIALIZED has everybody looked at in one pass,
#: where PostgreSQL would otherwise go from practice to practice in hope of an early end.
_TAKE_PRACTICES = f"""
    WITH waiting AS MATERIALIZED (SELECT DISTINCT patient.practice_id {_WAITING})
    SELECT practice.id FROM accounts_organisation practice
    WHERE practice.id IN (SELECT practice_id FROM waiting)
    AND EXISTS (SELECT 1 {_COORDINATORS} AND member.organisation_id = practice.id)
    ORDER BY practice.id LIMIT %s
    FOR NO KEY UPDATE SKIP LOCKED
"""
#: `room` lists each coordinator's next places, the emptiest caseload first; people take them in turn.
#: The two are joined by one value, because by two PostgreSQL tries every pair within a practice.
_ASSIGN = f"""
    WITH chosen AS (
        SELECT patient.id, patient.practice_id, entry.reviewed_at {_WAITING}
        AND patient.practice_id = ANY(%(practices)s)
        ORDER BY entry.reviewed_at, patient.id LIMIT %(limit)s
    ), waiting AS (
        SELECT id, practice_id, practice_id || ' ' || row_number() OVER (
            PARTITION BY practice_id ORDER BY reviewed_at, id
        ) AS turn
        FROM chosen
    ), caseload AS MATERIALIZED (
        SELECT member.id, member.organisation_id AS practice_id, (
            SELECT count(*) FROM coordinators_assignment held
            WHERE held.coordinator_id = member.id AND held.ended_at IS NULL
        ) AS people {_COORDINATORS} AND member.organisation_id = ANY(%(practices)s)
    ), demand AS (
        SELECT practice_id, count(*) AS people FROM waiting GROUP BY practice_id
    ), room AS (
        SELECT caseload.id AS coordinator_id, practice_id || ' ' || row_number() OVER (
            PARTITION BY practice_id ORDER BY caseload.people + place, caseload.id
        ) AS turn
        FROM caseload JOIN demand USING (practice_id) CROSS JOIN LATERAL generate_series(1, demand.people) AS place
    )
    INSERT INTO coordinators_assignment (id, patient_id, coordinator_id, started_at)
    SELECT gen_random_uuid(), waiting.id, room.coordinator_id, %(at)s
    FROM waiting JOIN room USING (turn)
    ON CONFLICT (patient_id) WHERE ended_at IS NULL DO NOTHING
"""


@transaction.atomic
def assign_waiting(*, at: datetime, limit: int = AT_A_TIME) -> int:
    """Gives people who are validated and on the list the coordinator of their practice with the fewest people.

    Takes at most `limit` people, those reviewed longest ago first, of practices no other worker has in
    hand. Returns how many were assigned: 0 when nobody is left whom this call could serve.
    People of a practice without a coordinator go on waiting: `queries.without_coordinator` counts them.
    Those whose death is registered need none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_PRACTICES, [_PRACTICES_AT_A_TIME])
        practices = [row[0] for row in cursor.fetchall()]
        if not practices:
            return 0
        # A statement of its own: only then does it see what the last holder of these practices wrote.
        cursor.execute(_ASSIGN, {"practices": practices, "limit": limit, "at": at})
        return cursor.rowcount


@transaction.atomic
def end_finished(*, at: datetime, limit: int = AT_A_TIME) -> int:
    """Ends the assignments that have no reason left, at most `limit`, and returns how many.

    The person went off the list, died (registered), or is now of another practice; or the coordinator
    left. Whoever still needs a coordinator is waiting again for `assign_waiting`.
    """
    finished = (
        Assignment.objects.filter(ended_at__isnull=True)
        .filter(
            Q(patient__entry__isnull=True)
            | Q(patient__entry__is_on_list=False)
            | Q(patient__death_status=Patient.DeathStatus.FORMAL)
            | Q(coordinator__ended_at__isnull=False)
            | Q(coordinator__user__is_active=False)
            | ~Q(coordinator__role=Role.COORDINATOR)
            | ~Q(coordinator__organisation=F("patient__practice"))
        )
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", flat=True)[:limit]
    )
    return Assignment.objects.filter(pk__in=list(finished)).update(ended_at=at)

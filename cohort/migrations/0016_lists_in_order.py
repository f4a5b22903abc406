"""Fills in the place, the strength and the date of the entries that are there, and makes the index of the pages.

In steps, so that a table in use is never locked for long; stopped midway, it can be run again. Code from before
goes on writing entries without a place: they come first on a page until the next search or refresh of details.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_AT_ONCE = 50_000
_FILL = """
WITH part AS (
    SELECT patient_id FROM cohort_listentry WHERE sort_key = '' ORDER BY patient_id LIMIT %s FOR UPDATE
), graded AS (
    SELECT f.patient_id, CASE
        WHEN count(*) FILTER (WHERE v.code <> '') = 0 THEN 'DOUBTFUL'
        WHEN min(v.source) FILTER (WHERE v.code <> '') <> max(v.source) FILTER (WHERE v.code <> '') THEN 'CLEAR'
        WHEN max(v.source) FILTER (WHERE v.code <> '') = 'MEDICINES'
            OR count(DISTINCT (v.code, v.event_date)) FILTER (WHERE v.code <> '') = 1 THEN 'DOUBTFUL'
        ELSE 'LIKELY' END AS strength
    FROM part JOIN cohort_flag f USING (patient_id) LEFT JOIN cohort_evidence v ON v.flag_id = f.id
    WHERE f.ended_in_id IS NULL GROUP BY f.patient_id
)
UPDATE cohort_listentry e SET strength = coalesce(g.strength, ''),
    listed_at = (SELECT r.finished_at FROM cohort_practicelist l JOIN cohort_searchrun r ON r.id = l.run_id
        WHERE l.id = e.practice_list_id),
    sort_key = CASE g.strength WHEN 'CLEAR' THEN '1' WHEN 'LIKELY' THEN '2' WHEN 'DOUBTFUL' THEN '3' ELSE '4' END
        || upper(p.family_name || ', ' || p.given_name)
FROM part JOIN cohort_patient p ON p.id = part.patient_id LEFT JOIN graded g ON g.patient_id = part.patient_id
WHERE e.patient_id = part.patient_id
"""


def _fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        filled = _AT_ONCE
        while filled:
            # What is filled in was so before: it leaves no history. pgtrigger's triggers heed this setting.
            cursor.execute("SELECT set_config('pgtrigger.ignore', %s, false)", [_HISTORY])
            cursor.execute(_FILL, [_AT_ONCE])
            filled = cursor.rowcount
        cursor.execute("SELECT set_config('pgtrigger.ignore', '{}', false)")


_HISTORY = "{pgtrigger_update_update_b891d}"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("cohort", "0015_how_strong_and_what_to_look_at_again"),
    ]

    operations = [
        migrations.RunPython(_fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="listentry",
            index=models.Index(fields=["practice_list", "review_state", "sort_key", "patient"], name="entry_in_order"),
        ),
        RemoveIndexConcurrently(model_name="listentry", name="entry_by_list_and_state"),
    ]

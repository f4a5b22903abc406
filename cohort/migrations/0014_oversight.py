import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cohort", "0013_what_practices_mend_and_add"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ListSignOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "act",
                    models.CharField(choices=[("SIGNED_OFF", "Signed off"), ("REOPENED", "Reopened")], max_length=10),
                ),
                ("at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("confirmed", models.PositiveIntegerField()),
                ("removed", models.PositiveIntegerField()),
                ("added", models.PositiveIntegerField()),
                ("not_told", models.PositiveIntegerField()),
                ("open_queries", models.PositiveIntegerField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "practice_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sign_offs", to="cohort.practicelist"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("DUE_SOON", "Due soon"),
                            ("DUE_TODAY", "Due today"),
                            ("OVERDUE", "Overdue"),
                            ("ESCALATED", "Told the care system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("due_date", models.DateField(help_text="That of the list when it was sent.")),
                (
                    "state",
                    models.CharField(
                        choices=[("CLAIMED", "Claimed"), ("SENT", "Sent"), ("FAILED", "Failed"), ("NOBODY", "Nobody")],
                        max_length=7,
                    ),
                ),
                ("claimed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("written_to", models.PositiveIntegerField(default=0)),
                (
                    "practice_list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="cohort.practicelist",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LateDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "policy",
                    models.CharField(
                        choices=[("HOLD", "Hold them back"), ("CONTACT", "Contact them anyway")], max_length=7
                    ),
                ),
                ("from_date", models.DateField(blank=True, null=True)),
                ("reason", models.CharField(max_length=500)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="late_decisions",
                        to="cohort.searchrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("from_date__isnull", False), ("policy", "CONTACT")),
                            models.Q(("from_date__isnull", True), ("policy", "HOLD")),
                            _connector="OR",
                        ),
                        name="contact_has_a_first_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="a_late_decision_has_a_reason"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="latedecision",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="e96e13e043c694f86839bf63d28884b99afd28ae",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_1cfaa",
                    table="cohort_latedecision",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="listsignoff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("act", "SIGNED_OFF"), ("reason", "")),
                    models.Q(("act", "REOPENED"), models.Q(("reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="a_reopening_has_a_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="listsignoff",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="eb2f412c56ac9c560ce6ebf193ad3961fdccf319",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0bdd4",
                    table="cohort_listsignoff",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                fields=("practice_list", "kind", "due_date"), name="one_reminder_of_a_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "SENT"), ("written_to__gt", 0)),
                    models.Q(models.Q(("state", "SENT"), _negated=True), ("sent_at__isnull", True), ("written_to", 0)),
                    _connector="OR",
                ),
                name="sent_means_to_somebody",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="legal_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE _is_valid_transition BOOLEAN;",
                    func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{CLAIMED:FAILED,CLAIMED:NOBODY,CLAIMED:SENT,FAILED:CLAIMED,NOBODY:CLAIMED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                    hash="17ba82e81d6b2641e5e1d0d2f992abee5129ad7d",
                    operation="UPDATE",
                    pgid="pgtrigger_legal_moves_7fbee",
                    table="cohort_reminder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reminder",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="dfb7ddc3bb75b60eea440b1684e3cc3deddf0533",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_f3abb",
                    table="cohort_reminder",
                    when="BEFORE",
                ),
            ),
        ),
    ]

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_hospital_units"),
        ("cohort", "0019_decided_in_spreadsheets"),
        ("letters", "0005_letters_of_hospital_units"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PartialStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("PRACTICE", "GP practice"),
                            ("GROUP", "Disease group"),
                            ("SOURCE", "Who put them on the list"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=100)),
                ("words", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=300)),
                ("stopped", models.PositiveIntegerField(help_text="How many messages it stopped.")),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PastAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempt", models.PositiveSmallIntegerField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("provider_id", models.CharField(blank=True, max_length=100)),
                ("failure", models.CharField(max_length=300)),
                ("ended_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempt", models.PositiveSmallIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "PENDING"),
                            ("ACCEPTED", "ACCEPTED"),
                            ("PRINTED", "PRINTED"),
                            ("DISPATCHED", "DISPATCHED"),
                            ("DELIVERED", "DELIVERED"),
                            ("CANCELLED", "CANCELLED"),
                            ("REJECTED", "REJECTED"),
                            ("FAILED", "FAILED"),
                            ("RETURNED", "RETURNED"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField(help_text="When it happened, as the supplier says.")),
                ("received_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="Supplier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=100)),
                ("channel", models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Text message")], max_length=8)),
                (
                    "transport",
                    models.CharField(
                        choices=[
                            ("FOLDER", "A folder that the supplier collects"),
                            ("PRINT", "Print supplier"),
                            ("NOTIFY", "GOV.UK Notify"),
                            ("NULL", "Nowhere: for measuring"),
                        ],
                        max_length=10,
                    ),
                ),
                ("in_use", models.BooleanField(default=False)),
                (
                    "daily_capacity",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How many it takes on one day (UK). Empty: as many as we can make.",
                        null=True,
                    ),
                ),
                (
                    "takes_from",
                    models.TimeField(
                        blank=True, help_text="It takes nothing before this time of the day (UK).", null=True
                    ),
                ),
                (
                    "takes_until",
                    models.TimeField(
                        blank=True, help_text="It takes nothing from this time of the day (UK).", null=True
                    ),
                ),
                (
                    "days_to_deliver",
                    models.PositiveSmallIntegerField(
                        default=2,
                        help_text="Working days from hand-over to the door, until its own receipts say better.",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SupplierDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("taken", models.PositiveIntegerField(default=0)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="batch",
            name="legal_moves",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="batch",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="batch",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="message",
            name="legal_moves",
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="handed_over_means_in_a_file",
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="released_means_holds_were_checked",
        ),
        migrations.AddField(
            model_name="batch",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="batch",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="fallback_channel",
            field=models.CharField(
                blank=True, choices=[("LETTER", "Letter"), ("SMS", "Text message")], db_default="", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="batch",
            name="fallback_version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="letters.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="batchevent",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="batchevent",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="batchevent",
            name="fallback_channel",
            field=models.CharField(
                blank=True, choices=[("LETTER", "Letter"), ("SMS", "Text message")], db_default="", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="batchevent",
            name="fallback_version",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="letters.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="attempt",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="message",
            name="delivery",
            field=models.CharField(
                blank=True,
                choices=[
                    ("PENDING", "PENDING"),
                    ("ACCEPTED", "ACCEPTED"),
                    ("PRINTED", "PRINTED"),
                    ("DISPATCHED", "DISPATCHED"),
                    ("DELIVERED", "DELIVERED"),
                    ("CANCELLED", "CANCELLED"),
                    ("REJECTED", "REJECTED"),
                    ("FAILED", "FAILED"),
                    ("RETURNED", "RETURNED"),
                ],
                db_default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="delivery_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="provider_id",
            field=models.CharField(blank=True, db_default="", max_length=100),
        ),
        migrations.AddField(
            model_name="message",
            name="stop_asked",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="message",
            name="turn",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="batch",
            name="state",
            field=models.CharField(
                choices=[
                    ("PLANNED", "Planned"),
                    ("APPROVED", "Approved"),
                    ("RELEASED", "Released"),
                    ("PAUSED", "Paused"),
                    ("STOPPED", "Stopped"),
                    ("FINISHED", "Finished"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="batchevent",
            name="state",
            field=models.CharField(
                choices=[
                    ("PLANNED", "Planned"),
                    ("APPROVED", "Approved"),
                    ("RELEASED", "Released"),
                    ("PAUSED", "Paused"),
                    ("STOPPED", "Stopped"),
                    ("FINISHED", "Finished"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
                choices=[
                    ("WAITING", "WAITING"),
                    ("MAKING", "MAKING"),
                    ("RELEASED", "RELEASED"),
                    ("HANDED_OVER", "HANDED_OVER"),
                    ("IN_DOUBT", "IN_DOUBT"),
                    ("HELD", "HELD"),
                    ("FAILED", "FAILED"),
                    ("STOPPED", "STOPPED"),
                ],
                max_length=12,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="batch",
            trigger=pgtrigger.compiler.Trigger(
                name="legal_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE _is_valid_transition BOOLEAN;",
                    func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{APPROVED:RELEASED,APPROVED:STOPPED,FINISHED:RELEASED,FINISHED:STOPPED,PAUSED:RELEASED,PAUSED:STOPPED,PLANNED:APPROVED,PLANNED:STOPPED,RELEASED:FINISHED,RELEASED:PAUSED,RELEASED:STOPPED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                    hash="dcc43584c02bbee5f641ffbeb192cb56411998a2",
                    operation="UPDATE",
                    pgid="pgtrigger_legal_moves_e43e6",
                    table="letters_batch",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="batch",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "letters_batchevent" ("approved_at", "approved_by_id", "campaign_id", "channel", "fallback_channel", "fallback_version_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_at", "planned_by_id", "released_at", "released_by_id", "state", "stop_reason", "stopped_at", "stopped_by_id", "template_version_id", "unit_id") VALUES (NEW."approved_at", NEW."approved_by_id", NEW."campaign_id", NEW."channel", NEW."fallback_channel", NEW."fallback_version_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."planned_at", NEW."planned_by_id", NEW."released_at", NEW."released_by_id", NEW."state", NEW."stop_reason", NEW."stopped_at", NEW."stopped_by_id", NEW."template_version_id", NEW."unit_id"); RETURN NULL;',
                    hash="9c9b1a9d044759152de108aa1341e0f7dbe55bfa",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_e3b2c",
                    table="letters_batch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="batch",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "letters_batchevent" ("approved_at", "approved_by_id", "campaign_id", "channel", "fallback_channel", "fallback_version_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "planned_at", "planned_by_id", "released_at", "released_by_id", "state", "stop_reason", "stopped_at", "stopped_by_id", "template_version_id", "unit_id") VALUES (NEW."approved_at", NEW."approved_by_id", NEW."campaign_id", NEW."channel", NEW."fallback_channel", NEW."fallback_version_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."planned_at", NEW."planned_by_id", NEW."released_at", NEW."released_by_id", NEW."state", NEW."stop_reason", NEW."stopped_at", NEW."stopped_by_id", NEW."template_version_id", NEW."unit_id"); RETURN NULL;',
                    hash="1b2996f9c08e2a245446646058b93c2e3a1d155e",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_83373",
                    table="letters_batch",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="legal_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE _is_valid_transition BOOLEAN;",
                    func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{FAILED:STOPPED,FAILED:WAITING,HANDED_OVER:FAILED,HELD:STOPPED,HELD:WAITING,IN_DOUBT:FAILED,IN_DOUBT:HANDED_OVER,MAKING:FAILED,MAKING:HELD,MAKING:RELEASED,MAKING:STOPPED,MAKING:WAITING,RELEASED:FAILED,RELEASED:HANDED_OVER,RELEASED:IN_DOUBT,RELEASED:STOPPED,RELEASED:WAITING,WAITING:HELD,WAITING:MAKING,WAITING:STOPPED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                    hash="4d606c87123d29e2684bc8816768259b66456082",
                    operation="UPDATE",
                    pgid="pgtrigger_legal_moves_8ac71",
                    table="letters_message",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                    models.Q(
                        ("approved_at__isnull", False),
                        ("approved_by__isnull", False),
                        models.Q(("approved_by", models.F("planned_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="batch_approved_at_and_by_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("fallback_channel", ""), ("fallback_version__isnull", True)),
                    models.Q(
                        models.Q(("fallback_channel", ""), _negated=True),
                        models.Q(("fallback_channel", models.F("channel")), _negated=True),
                        ("fallback_version__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="batch_fallback_has_another_channel_and_words",
            ),
        ),
        migrations.AddField(
            model_name="partialstop",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="partial_stops", to="letters.batch"
            ),
        ),
        migrations.AddField(
            model_name="partialstop",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="pastattempt",
            name="hand_over",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="letters.handover",
            ),
        ),
        migrations.AddField(
            model_name="pastattempt",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="past_attempts", to="letters.message"
            ),
        ),
        migrations.AddField(
            model_name="receipt",
            name="message",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="letters.message"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplier",
            constraint=models.UniqueConstraint(
                condition=models.Q(("in_use", True)), fields=("channel",), name="one_supplier_of_a_channel_in_use"
            ),
        ),
        migrations.AddConstraint(
            model_name="supplier",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("takes_from__isnull", True), ("takes_until__isnull", True)),
                    models.Q(("takes_from__isnull", False), ("takes_until__isnull", False)),
                    _connector="OR",
                ),
                name="supplier_takes_from_and_until",
            ),
        ),
        migrations.AddField(
            model_name="pastattempt",
            name="supplier",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="letters.supplier",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="supplier",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="letters.supplier",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "IN_DOUBT")), fields=["released_at"], name="message_in_doubt"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "HANDED_OVER"), _negated=True),
                    models.Q(("hand_over", models.F("hand_over_key")), ("hand_over__isnull", False)),
                    models.Q(("provider_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="handed_over_means_in_a_file_or_taken_by_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["RELEASED", "IN_DOUBT", "HANDED_OVER"]), _negated=True),
                    models.Q(
                        ("hand_over_key__isnull", False),
                        ("holds_checked_at__isnull", False),
                        ("released_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="released_means_holds_were_checked",
            ),
        ),
        migrations.AddField(
            model_name="supplierday",
            name="supplier",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="days", to="letters.supplier"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partialstop",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="af9870267b97dfd83e768f7af742680e4039f831",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_628d9",
                    table="letters_partialstop",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(
                fields=("message", "attempt", "status"), name="one_receipt_a_status_and_attempt"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="receipt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5c91001381f3b560b129f9ee1f0711524440b823",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_1c9f1",
                    table="letters_receipt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="pastattempt",
            constraint=models.UniqueConstraint(fields=("message", "attempt"), name="one_row_a_past_attempt"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pastattempt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="c8017afc0f01d9741f7a31dc156a2be131abebdc",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_f6b4b",
                    table="letters_pastattempt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="supplierday",
            constraint=models.UniqueConstraint(fields=("supplier", "day"), name="one_count_a_supplier_and_day"),
        ),
    ]

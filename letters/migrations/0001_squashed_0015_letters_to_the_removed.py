"""Templates, campaigns, batches, messages and what became of them."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("letters", "0001_initial"),
        ("letters", "0002_outbox_leases_and_hand_over_keys"),
        ("letters", "0003_fewer_message_indexes"),
        ("letters", "0004_hold_of_the_unreviewed"),
        ("letters", "0005_letters_of_hospital_units"),
        ("letters", "0006_suppliers_approvals_and_receipts"),
        ("letters", "0007_holds_of_contact_problems"),
        ("letters", "0008_drafts_and_translations"),
        ("letters", "0009_rests_and_queues"),
        ("letters", "0010_checks_of_hand_overs"),
        ("letters", "0011_cheaper_moves"),
        ("letters", "0012_late_deliveries"),
        ("letters", "0013_taken_by_call"),
        ("letters", "0014_settled_by_whom"),
        ("letters", "0015_letters_to_the_removed"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0001_squashed_0006_users_and_organisations_stay"),
        ("cohort", "0001_squashed_0027_facts_are_checked_together"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Template",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=100)),
                ("channel", models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Text message")], max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=100)),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("LISTED", "People on the list"),
                            ("REMOVED", "People taken off the list, who have been told"),
                        ],
                        db_default="LISTED",
                        default="LISTED",
                        max_length=8,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HandOverCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField()),
                ("count", models.PositiveIntegerField(help_text="How many messages the supplier counted.")),
                ("difference", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField(help_text="When it was received, as the supplier says.")),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("difference", ""), _negated=True),
                        fields=["received_at"],
                        name="check_of_difference",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("key", "difference"), name="one_check_a_key_and_difference")
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="4db8a96dcfc713f674ef3c5a67940520d54afd6d",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_2554b",
                            table="letters_handovercheck",
                            when="BEFORE",
                        ),
                    )
                ],
            },
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
                ("rests_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("setbacks", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("in_use", True)),
                        fields=("channel",),
                        name="one_supplier_of_a_channel_in_use",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("takes_from__isnull", True), ("takes_until__isnull", True)),
                            models.Q(("takes_from__isnull", False), ("takes_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="supplier_takes_from_and_until",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SupplierDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("taken", models.PositiveIntegerField(default=0)),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="days", to="letters.supplier"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("supplier", "day"), name="one_count_a_supplier_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "subject",
                    models.CharField(
                        blank=True,
                        help_text="The letter's heading; texts have none.",
                        max_length=200,
                        verbose_name="heading",
                    ),
                ),
                ("body", models.TextField(verbose_name="words")),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="letters.template"
                    ),
                ),
                ("drafted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "drafted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                            models.Q(("approved_at__isnull", False), ("drafted_by__isnull", True)),
                            models.Q(
                                ("approved_at__isnull", False),
                                ("approved_by__isnull", False),
                                models.Q(("approved_by", models.F("drafted_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="templateversion_approved_by_a_second_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                            models.Q(
                                ("approved_at__isnull", True),
                                ("withdrawn_at__isnull", False),
                                ("withdrawn_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="templateversion_withdrawn_at_and_by",
                    ),
                    models.UniqueConstraint(fields=("template", "number"), name="template_versions_are_numbered"),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="97be89903ba012fefd8c52d0a72862872d553560",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_49e90",
                            table="letters_templateversion",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="words_stay",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."drafted_at" IS DISTINCT FROM (NEW."drafted_at") OR OLD."drafted_by_id" IS DISTINCT FROM (NEW."drafted_by_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."template_id" IS DISTINCT FROM (NEW."template_id"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="bd79c6c89899f106fa5fa6822a69eae2c56ce4ce",
                            operation="UPDATE",
                            pgid="pgtrigger_words_stay_c35ef",
                            table="letters_templateversion",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="decided_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."approved_at" IS NOT NULL OR OLD."withdrawn_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="12b7474082496a3a1106d175ed8328736ad6cd6b",
                            operation="UPDATE",
                            pgid="pgtrigger_decided_once_18b23",
                            table="letters_templateversion",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Translation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject",
                    models.CharField(
                        blank=True,
                        help_text="The letter's heading; texts have none.",
                        max_length=200,
                        verbose_name="heading",
                    ),
                ),
                ("body", models.TextField(verbose_name="words")),
                ("drafted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("sq", "Albanian"),
                            ("ar", "Arabic"),
                            ("bn", "Bengali"),
                            ("bfi", "British Sign Language"),
                            ("bg", "Bulgarian"),
                            ("yue", "Cantonese"),
                            ("cs", "Czech"),
                            ("nl", "Dutch"),
                            ("fr", "French"),
                            ("de", "German"),
                            ("el", "Greek"),
                            ("gu", "Gujarati"),
                            ("hi", "Hindi"),
                            ("hu", "Hungarian"),
                            ("it", "Italian"),
                            ("ku", "Kurdish"),
                            ("lv", "Latvian"),
                            ("lt", "Lithuanian"),
                            ("ml", "Malayalam"),
                            ("cmn", "Mandarin"),
                            ("ne", "Nepali"),
                            ("pa", "Panjabi"),
                            ("ps", "Pashto"),
                            ("fa", "Persian (Farsi)"),
                            ("pl", "Polish"),
                            ("pt", "Portuguese"),
                            ("ro", "Romanian"),
                            ("ru", "Russian"),
                            ("sk", "Slovak"),
                            ("so", "Somali"),
                            ("es", "Spanish"),
                            ("syl", "Sylheti"),
                            ("ta", "Tamil"),
                            ("te", "Telugu"),
                            ("ti", "Tigrinya"),
                            ("tr", "Turkish"),
                            ("uk", "Ukrainian"),
                            ("ur", "Urdu"),
                            ("vi", "Vietnamese"),
                            ("cy", "Welsh"),
                            ("yo", "Yoruba"),
                        ],
                        help_text="BCP 47.",
                        max_length=15,
                    ),
                ),
                ("is_machine_made", models.BooleanField(default=False)),
                (
                    "checked_by",
                    models.CharField(
                        blank=True,
                        help_text="Who has read it beside the English: a translator or a service.",
                        max_length=200,
                    ),
                ),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "drafted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="translations",
                        to="letters.templateversion",
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["version", "language"], name="translation_by_language")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("approved_by__isnull", True)),
                            models.Q(("approved_at__isnull", False), ("drafted_by__isnull", True)),
                            models.Q(
                                ("approved_at__isnull", False),
                                ("approved_by__isnull", False),
                                models.Q(("approved_by", models.F("drafted_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="translation_approved_by_a_second_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                            models.Q(
                                ("approved_at__isnull", True),
                                ("withdrawn_at__isnull", False),
                                ("withdrawn_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="translation_withdrawn_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("checked_by", "")),
                            models.Q(
                                ("approved_at__isnull", False),
                                ("approved_by__isnull", False),
                                models.Q(("checked_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="translation_approved_once_checked",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="054aef3c4849f6143701efc91af5ea46e31360c8",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_7d6b6",
                            table="letters_translation",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="words_stay",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."drafted_at" IS DISTINCT FROM (NEW."drafted_at") OR OLD."drafted_by_id" IS DISTINCT FROM (NEW."drafted_by_id") OR OLD."is_machine_made" IS DISTINCT FROM (NEW."is_machine_made") OR OLD."language" IS DISTINCT FROM (NEW."language") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."version_id" IS DISTINCT FROM (NEW."version_id"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="018efe6056c1be5270433c7c9aa0649fd4cfc680",
                            operation="UPDATE",
                            pgid="pgtrigger_words_stay_8a1a2",
                            table="letters_translation",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="decided_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."approved_at" IS NOT NULL OR OLD."withdrawn_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="f70b9441d7de64e30ae1dcba6ce6d8637640109f",
                            operation="UPDATE",
                            pgid="pgtrigger_decided_once_59957",
                            table="letters_translation",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Text message")], max_length=8)),
                (
                    "state",
                    models.CharField(
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
                ("planned_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                ("stop_reason", models.CharField(blank=True, max_length=300)),
                (
                    "planned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stopped_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="letters.campaign"
                    ),
                ),
                (
                    "template_version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="letters.templateversion"),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        help_text="The hospital unit that writes to its own patients; none where the centre writes.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letter_batches",
                        to="accounts.organisation",
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "fallback_channel",
                    models.CharField(
                        blank=True, choices=[("LETTER", "Letter"), ("SMS", "Text message")], db_default="", max_length=8
                    ),
                ),
                (
                    "fallback_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="letters.templateversion",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
                "constraints": [
                    models.CheckConstraint(
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
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("released_at__isnull", True), ("released_by__isnull", True)),
                            models.Q(("released_at__isnull", False), ("released_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="batch_released_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("stop_reason", ""), ("stopped_at__isnull", True), ("stopped_by__isnull", True)),
                            models.Q(
                                ("stopped_at__isnull", False),
                                ("stopped_by__isnull", False),
                                models.Q(("stop_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="batch_stopped_at_by_and_why",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
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
                    pgtrigger.compiler.Trigger(
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
                    pgtrigger.compiler.Trigger(
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
                ],
            },
        ),
        migrations.CreateModel(
            name="BatchEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("channel", models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Text message")], max_length=8)),
                (
                    "state",
                    models.CharField(
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
                ("planned_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, null=True)),
                ("stop_reason", models.CharField(blank=True, max_length=300)),
                (
                    "pgh_context",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="pghistory.context",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="letters.batch",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "stopped_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="letters.campaign",
                    ),
                ),
                (
                    "template_version",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="letters.templateversion",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The hospital unit that writes to its own patients; none where the centre writes.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.organisation",
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "fallback_channel",
                    models.CharField(
                        blank=True, choices=[("LETTER", "Letter"), ("SMS", "Text message")], db_default="", max_length=8
                    ),
                ),
                (
                    "fallback_version",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="letters.templateversion",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
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
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="partial_stops", to="letters.batch"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="af9870267b97dfd83e768f7af742680e4039f831",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_628d9",
                            table="letters_partialstop",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HandOver",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("file_name", models.CharField(max_length=200)),
                ("count", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hand_overs", to="letters.batch"
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="d0b061f348e80bd7f0050087a2e790f1e08d7f41",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_3e5ef",
                            table="letters_handover",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Text message")], max_length=8)),
                (
                    "state",
                    models.CharField(
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
                (
                    "hold_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("DIED", "Has died"),
                            ("REPORTED_DEAD", "Reported to have died"),
                            ("RESTRICTED", "Restricted record"),
                            ("RECORD_INVALID", "Record is invalid"),
                            ("MOVED_AWAY", "Moved away or left the NHS"),
                            ("OFF_LIST", "No longer on the list"),
                            ("NOT_REVIEWED", "Not reviewed by their practice"),
                            ("BACK_ON_LIST", "On the list again"),
                            ("REMOVAL_NOT_TOLD", "Not told of their removal by a clinician"),
                            ("ASKED_NOT_TO_BE_CONTACTED", "Asked not to be contacted"),
                            ("UNSAFE_CHANNEL", "Not safe to contact this way"),
                            ("LETTER_RETURNED", "A letter came back from this address"),
                            ("NUMBER_UNDELIVERABLE", "Texts do not reach this number"),
                            ("NO_FIXED_ABODE", "No fixed abode"),
                            ("NO_USABLE_ADDRESS", "No usable address"),
                            ("NO_USABLE_NUMBER", "No usable mobile number"),
                        ],
                        max_length=30,
                    ),
                ),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("queued_at", models.DateTimeField()),
                ("lease_token", models.BigIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("holds_checked_at", models.DateTimeField(blank=True, null=True)),
                ("holds_checked_against", models.DateField(blank=True, null=True)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="letters.batch",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="letters.campaign",
                    ),
                ),
                (
                    "hand_over",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="letters.handover",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="cohort.patient"
                    ),
                ),
                ("hand_over_key", models.UUIDField(blank=True, null=True)),
                ("attempt", models.PositiveSmallIntegerField(db_default=1, default=1)),
                (
                    "delivery",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("PENDING", "PENDING"),
                            ("ACCEPTED", "ACCEPTED"),
                            ("PRINTED", "PRINTED"),
                            ("DISPATCHED", "DISPATCHED"),
                            ("CANCELLED", "CANCELLED"),
                            ("REJECTED", "REJECTED"),
                            ("FAILED", "FAILED"),
                            ("DELIVERED", "DELIVERED"),
                            ("RETURNED", "RETURNED"),
                        ],
                        db_default="",
                        max_length=10,
                    ),
                ),
                ("delivery_at", models.DateTimeField(blank=True, null=True)),
                ("provider_id", models.CharField(blank=True, db_default="", max_length=100)),
                ("stop_asked", models.BooleanField(db_default=False, default=False)),
                ("turn", models.IntegerField(db_default=0, default=0)),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="letters.supplier",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["HANDED_OVER", "HELD", "FAILED", "STOPPED"])),
                        fields=["batch", "state", "channel"],
                        name="message_settled",
                    ),
                    models.Index(
                        condition=models.Q(("state", "WAITING")),
                        fields=["batch", "channel", "queued_at", "turn", "id"],
                        name="message_queue",
                    ),
                    models.Index(
                        condition=models.Q(("state", "MAKING")), fields=["lease_token"], name="message_claimed"
                    ),
                    models.Index(
                        condition=models.Q(("state", "RELEASED")), fields=["hand_over_key"], name="message_released"
                    ),
                    models.Index(
                        condition=models.Q(("state", "IN_DOUBT")), fields=["released_at"], name="message_in_doubt"
                    ),
                    models.Index(
                        condition=models.Q(("hand_over__isnull", True), ("state", "HANDED_OVER")),
                        fields=["batch", "released_at"],
                        name="message_taken_by_call",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "STOPPED"), _negated=True),
                        fields=("patient", "campaign", "channel"),
                        name="nobody_twice_for_one_purpose",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "HELD"), models.Q(("hold_reason", ""), _negated=True)),
                            models.Q(models.Q(("state", "HELD"), _negated=True), ("hold_reason", "")),
                            _connector="OR",
                        ),
                        name="a_hold_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "FAILED"), models.Q(("failure", ""), _negated=True)),
                            models.Q(models.Q(("state", "FAILED"), _negated=True), ("failure", "")),
                            _connector="OR",
                        ),
                        name="a_failure_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "HANDED_OVER"), _negated=True),
                            models.Q(("hand_over", models.F("hand_over_key")), ("hand_over__isnull", False)),
                            models.Q(("provider_id", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="handed_over_means_in_a_file_or_taken_by_id",
                    ),
                    models.CheckConstraint(
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
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="only_legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.state || ':' || NEW.state <> ALL ('{FAILED:HANDED_OVER,FAILED:STOPPED,FAILED:WAITING,HANDED_OVER:FAILED,HELD:HANDED_OVER,HELD:STOPPED,HELD:WAITING,IN_DOUBT:FAILED,IN_DOUBT:HANDED_OVER,MAKING:FAILED,MAKING:HANDED_OVER,MAKING:HELD,MAKING:RELEASED,MAKING:STOPPED,MAKING:WAITING,RELEASED:FAILED,RELEASED:HANDED_OVER,RELEASED:IN_DOUBT,RELEASED:STOPPED,RELEASED:WAITING,WAITING:HANDED_OVER,WAITING:HELD,WAITING:MAKING,WAITING:STOPPED}')  OR NEW.state = 'HANDED_OVER' AND OLD.state IN ('WAITING', 'MAKING', 'HELD')   AND NEW.attempt >= OLD.attempt))",
                            func="RAISE EXCEPTION 'Illegal move of a message from % to %', OLD.state, NEW.state;",
                            hash="be8cfad5d416f053e64c29ce238099fb089e07d7",
                            operation="UPDATE",
                            pgid="pgtrigger_only_legal_moves_20cc0",
                            table="letters_message",
                            when="BEFORE",
                        ),
                    )
                ],
            },
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
                (
                    "hand_over",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="letters.handover",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="past_attempts", to="letters.message"
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="letters.supplier",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("message", "attempt"), name="one_row_a_past_attempt")],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c8017afc0f01d9741f7a31dc156a2be131abebdc",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_f6b4b",
                            table="letters_pastattempt",
                            when="BEFORE",
                        ),
                    )
                ],
            },
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
                            ("CANCELLED", "CANCELLED"),
                            ("REJECTED", "REJECTED"),
                            ("FAILED", "FAILED"),
                            ("DELIVERED", "DELIVERED"),
                            ("RETURNED", "RETURNED"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField(help_text="When it happened, as the supplier says.")),
                ("received_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="letters.message"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("message", "attempt", "status"), name="one_receipt_a_status_and_attempt"
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="5c91001381f3b560b129f9ee1f0711524440b823",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_1c9f1",
                            table="letters_receipt",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempt", models.PositiveSmallIntegerField()),
                ("has_it", models.BooleanField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlements",
                        to="letters.message",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("message", "attempt"), name="one_settlement_an_attempt")
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="67aae0ab1b02a20c9ef5176975d8c9d18d8a3f4a",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_8d07d",
                            table="letters_settlement",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        # Fencing tokens: a later claim always has a greater one.
        migrations.RunSQL(
            sql="CREATE SEQUENCE letters_lease_token",
            reverse_sql="DROP SEQUENCE letters_lease_token",
        ),
    ]

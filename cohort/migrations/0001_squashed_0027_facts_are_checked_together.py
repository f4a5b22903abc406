"""People, extracts, criteria, searches, the list, its reviews, and what hospitals and practices send."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("cohort", "0001_initial"),
        ("cohort", "0002_no_history_for_a_date_alone"),
        ("cohort", "0003_undo_an_addition"),
        ("cohort", "0004_flags_stand_until_they_end"),
        ("cohort", "0005_what_a_run_found"),
        ("cohort", "0006_drafts_of_criteria"),
        ("cohort", "0007_changes_and_mended_rows"),
        ("cohort", "0008_risk_lists"),
        ("cohort", "0009_who_loaded_a_code_list"),
        ("cohort", "0010_flags_refer_to_what_is_there"),
        ("cohort", "0011_flags_have_no_foreign_keys"),
        ("cohort", "0012_questions_to_a_colleague"),
        ("cohort", "0013_what_practices_mend_and_add"),
        ("cohort", "0014_oversight"),
        ("cohort", "0015_how_strong_and_what_to_look_at_again"),
        ("cohort", "0016_lists_in_order"),
        ("cohort", "0017_hospital_lists"),
        ("cohort", "0018_receipts"),
        ("cohort", "0019_decided_in_spreadsheets"),
        ("cohort", "0020_contact_problems"),
        ("cohort", "0021_what_practices_overrule_still"),
        ("cohort", "0022_long_hospital_lists"),
        ("cohort", "0023_history_of_many_at_once"),
        ("cohort", "0024_an_end_for_failing_lists"),
        ("cohort", "0025_indexes_that_are_searched"),
        ("cohort", "0026_a_standing_is_of_the_same_person"),
        ("cohort", "0027_facts_are_checked_together"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0001_squashed_0006_users_and_organisations_stay"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("name", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Criterion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "tier",
                    models.CharField(choices=[("HIGH", "High risk"), ("VULNERABLE", "Vulnerable")], max_length=10),
                ),
                ("disease_group", models.CharField(max_length=100)),
            ],
            options={
                "verbose_name_plural": "criteria",
            },
        ),
        migrations.CreateModel(
            name="SourceAgeLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("supplier", models.SlugField(unique=True)),
                ("days", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Extract",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("supplier", models.SlugField()),
                ("as_at", models.DateField()),
                (
                    "sha256",
                    models.CharField(help_text="Of the names and contents of the files supplied.", max_length=64),
                ),
                ("folder", models.CharField(max_length=200)),
                ("accepted_rows", models.JSONField(default=dict, help_text="Per table.")),
                ("rejected_rows", models.JSONField(default=dict, help_text="Per table.")),
                ("loaded_at", models.DateTimeField()),
                (
                    "changed_since",
                    models.ForeignKey(
                        blank=True,
                        help_text="The extract that changed.parquet names the differences from; none for a supplier's first.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohort.extract",
                    ),
                ),
                (
                    "files",
                    models.JSONField(default=list, help_text="What became of each file's rows: see loading.FileCount."),
                ),
                ("notes", models.JSONField(default=list, help_text="What was told when it was loaded.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("supplier", "sha256"), name="the_same_extract_is_loaded_once"),
                    models.CheckConstraint(
                        condition=models.Q(("folder", ""), _negated=True), name="an_extract_has_a_folder"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("nhs_number", models.CharField(max_length=10, unique=True, verbose_name="NHS number")),
                ("given_name", models.CharField(max_length=100)),
                ("family_name", models.CharField(max_length=100)),
                ("birth_date", models.DateField()),
                (
                    "sex",
                    models.CharField(
                        choices=[("F", "Female"), ("M", "Male"), ("O", "Other"), ("U", "Not known")], max_length=1
                    ),
                ),
                (
                    "address_lines",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("postcode", models.CharField(blank=True, max_length=8)),
                ("uprn", models.CharField(blank=True, max_length=12, verbose_name="UPRN")),
                ("no_fixed_abode", models.BooleanField(default=False)),
                ("mobile", models.CharField(blank=True, max_length=20)),
                ("landline", models.CharField(blank=True, max_length=20)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "death_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Alive"),
                            ("INFORMAL", "Reported dead, not registered"),
                            ("FORMAL", "Death registered"),
                        ],
                        max_length=8,
                    ),
                ),
                ("death_date", models.DateField(blank=True, null=True)),
                ("is_restricted", models.BooleanField(default=False, verbose_name="restricted record (PDS S flag)")),
                ("is_invalid", models.BooleanField(default=False, verbose_name="record invalid")),
                ("moved_away_code", models.CharField(blank=True, max_length=4, verbose_name="PDS reason for removal")),
                ("asked_not_to_be_contacted", models.BooleanField(default=False)),
                (
                    "unsafe_channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Sms")], max_length=8),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "safe_contact_instruction",
                    models.CharField(
                        blank=True, help_text="How to contact this person safely, without saying why.", max_length=300
                    ),
                ),
                ("as_at", models.DateField(help_text="The date of the extract these details came from.")),
                (
                    "practice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="patients",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "formats_needed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("LARGE_PRINT", "Large print"),
                                ("EASY_READ", "Easy read"),
                                ("BRAILLE", "Braille"),
                                ("AUDIO", "Audio"),
                            ],
                            max_length=11,
                        ),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "language",
                    models.CharField(blank=True, db_default="", help_text="BCP 47; empty for English.", max_length=15),
                ),
                (
                    "preferred_channel",
                    models.CharField(
                        blank=True,
                        choices=[("LETTER", "Letter"), ("SMS", "Sms"), ("PHONE", "Phone"), ("EMAIL", "Email")],
                        db_default="",
                        max_length=6,
                    ),
                ),
                (
                    "returned_address",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="The address, as printed and in capitals, that a letter came back from.",
                    ),
                ),
                ("returned_at", models.DateTimeField(blank=True, null=True)),
                ("undeliverable_at", models.DateTimeField(blank=True, null=True)),
                (
                    "undeliverable_mobile",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="The number, without spaces, that texts do not reach.",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["practice", "family_name", "given_name"], name="patient_by_practice_and_name")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("nhs_number__regex", "^[0-9]{10}$")), name="nhs_number_is_ten_digits"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("death_status", ""), _negated=True), ("death_date__isnull", True), _connector="OR"
                        ),
                        name="a_death_date_has_a_death_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("returned_address", ""), ("returned_at__isnull", True)),
                            models.Q(models.Q(("returned_address", ""), _negated=True), ("returned_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="a_returned_address_has_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("undeliverable_at__isnull", True), ("undeliverable_mobile", "")),
                            models.Q(
                                models.Q(("undeliverable_mobile", ""), _negated=True),
                                ("undeliverable_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="an_undeliverable_mobile_has_a_moment",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="flagged_people_stay",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n        IF EXISTS (SELECT 1 FROM cohort_flag WHERE patient_id = OLD.id)\n        OR EXISTS (SELECT 1 FROM cohort_listfact WHERE patient_id = OLD.id) THEN\n            RAISE EXCEPTION 'Somebody who was flagged, or about whom a fact was said, is never deleted'\n                USING ERRCODE = 'foreign_key_violation';\n        END IF;\n        RETURN OLD;\n    ",
                            hash="5eb310e1718958826f2284479a5394836704ba81",
                            operation="DELETE",
                            pgid="pgtrigger_flagged_people_stay_b38a0",
                            table="cohort_patient",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."address_lines" IS DISTINCT FROM (NEW."address_lines") OR OLD."asked_not_to_be_contacted" IS DISTINCT FROM (NEW."asked_not_to_be_contacted") OR OLD."birth_date" IS DISTINCT FROM (NEW."birth_date") OR OLD."death_date" IS DISTINCT FROM (NEW."death_date") OR OLD."death_status" IS DISTINCT FROM (NEW."death_status") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."family_name" IS DISTINCT FROM (NEW."family_name") OR OLD."formats_needed" IS DISTINCT FROM (NEW."formats_needed") OR OLD."given_name" IS DISTINCT FROM (NEW."given_name") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."is_invalid" IS DISTINCT FROM (NEW."is_invalid") OR OLD."is_restricted" IS DISTINCT FROM (NEW."is_restricted") OR OLD."landline" IS DISTINCT FROM (NEW."landline") OR OLD."language" IS DISTINCT FROM (NEW."language") OR OLD."mobile" IS DISTINCT FROM (NEW."mobile") OR OLD."moved_away_code" IS DISTINCT FROM (NEW."moved_away_code") OR OLD."nhs_number" IS DISTINCT FROM (NEW."nhs_number") OR OLD."no_fixed_abode" IS DISTINCT FROM (NEW."no_fixed_abode") OR OLD."postcode" IS DISTINCT FROM (NEW."postcode") OR OLD."practice_id" IS DISTINCT FROM (NEW."practice_id") OR OLD."preferred_channel" IS DISTINCT FROM (NEW."preferred_channel") OR OLD."returned_address" IS DISTINCT FROM (NEW."returned_address") OR OLD."returned_at" IS DISTINCT FROM (NEW."returned_at") OR OLD."safe_contact_instruction" IS DISTINCT FROM (NEW."safe_contact_instruction") OR OLD."sex" IS DISTINCT FROM (NEW."sex") OR OLD."undeliverable_at" IS DISTINCT FROM (NEW."undeliverable_at") OR OLD."undeliverable_mobile" IS DISTINCT FROM (NEW."undeliverable_mobile") OR OLD."unsafe_channels" IS DISTINCT FROM (NEW."unsafe_channels") OR OLD."uprn" IS DISTINCT FROM (NEW."uprn"))',
                            func='INSERT INTO "cohort_patientevent" ("address_lines", "as_at", "asked_not_to_be_contacted", "birth_date", "death_date", "death_status", "email", "family_name", "formats_needed", "given_name", "id", "is_invalid", "is_restricted", "landline", "language", "mobile", "moved_away_code", "nhs_number", "no_fixed_abode", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "postcode", "practice_id", "preferred_channel", "returned_address", "returned_at", "safe_contact_instruction", "sex", "undeliverable_at", "undeliverable_mobile", "unsafe_channels", "uprn") VALUES (OLD."address_lines", OLD."as_at", OLD."asked_not_to_be_contacted", OLD."birth_date", OLD."death_date", OLD."death_status", OLD."email", OLD."family_name", OLD."formats_needed", OLD."given_name", OLD."id", OLD."is_invalid", OLD."is_restricted", OLD."landline", OLD."language", OLD."mobile", OLD."moved_away_code", OLD."nhs_number", OLD."no_fixed_abode", _pgh_attach_context(), NOW(), \'update\', OLD."id", OLD."postcode", OLD."practice_id", OLD."preferred_channel", OLD."returned_address", OLD."returned_at", OLD."safe_contact_instruction", OLD."sex", OLD."undeliverable_at", OLD."undeliverable_mobile", OLD."unsafe_channels", OLD."uprn"); RETURN NULL;',
                            hash="77efd884868048a5403de69eaea8251c9db52302",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_a19f4",
                            table="cohort_patient",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "cohort_patientevent" ("address_lines", "as_at", "asked_not_to_be_contacted", "birth_date", "death_date", "death_status", "email", "family_name", "formats_needed", "given_name", "id", "is_invalid", "is_restricted", "landline", "language", "mobile", "moved_away_code", "nhs_number", "no_fixed_abode", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "postcode", "practice_id", "preferred_channel", "returned_address", "returned_at", "safe_contact_instruction", "sex", "undeliverable_at", "undeliverable_mobile", "unsafe_channels", "uprn") VALUES (OLD."address_lines", OLD."as_at", OLD."asked_not_to_be_contacted", OLD."birth_date", OLD."death_date", OLD."death_status", OLD."email", OLD."family_name", OLD."formats_needed", OLD."given_name", OLD."id", OLD."is_invalid", OLD."is_restricted", OLD."landline", OLD."language", OLD."mobile", OLD."moved_away_code", OLD."nhs_number", OLD."no_fixed_abode", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."postcode", OLD."practice_id", OLD."preferred_channel", OLD."returned_address", OLD."returned_at", OLD."safe_contact_instruction", OLD."sex", OLD."undeliverable_at", OLD."undeliverable_mobile", OLD."unsafe_channels", OLD."uprn"); RETURN NULL;',
                            hash="b8f21a2a800b4162ac8f68a9b862c25a9fd55128",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_5c274",
                            table="cohort_patient",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PatientEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("nhs_number", models.CharField(max_length=10, verbose_name="NHS number")),
                ("given_name", models.CharField(max_length=100)),
                ("family_name", models.CharField(max_length=100)),
                ("birth_date", models.DateField()),
                (
                    "sex",
                    models.CharField(
                        choices=[("F", "Female"), ("M", "Male"), ("O", "Other"), ("U", "Not known")], max_length=1
                    ),
                ),
                (
                    "address_lines",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("postcode", models.CharField(blank=True, max_length=8)),
                ("uprn", models.CharField(blank=True, max_length=12, verbose_name="UPRN")),
                ("no_fixed_abode", models.BooleanField(default=False)),
                ("mobile", models.CharField(blank=True, max_length=20)),
                ("landline", models.CharField(blank=True, max_length=20)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "death_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Alive"),
                            ("INFORMAL", "Reported dead, not registered"),
                            ("FORMAL", "Death registered"),
                        ],
                        max_length=8,
                    ),
                ),
                ("death_date", models.DateField(blank=True, null=True)),
                ("is_restricted", models.BooleanField(default=False, verbose_name="restricted record (PDS S flag)")),
                ("is_invalid", models.BooleanField(default=False, verbose_name="record invalid")),
                ("moved_away_code", models.CharField(blank=True, max_length=4, verbose_name="PDS reason for removal")),
                ("asked_not_to_be_contacted", models.BooleanField(default=False)),
                (
                    "unsafe_channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=[("LETTER", "Letter"), ("SMS", "Sms")], max_length=8),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "safe_contact_instruction",
                    models.CharField(
                        blank=True, help_text="How to contact this person safely, without saying why.", max_length=300
                    ),
                ),
                ("as_at", models.DateField(help_text="The date of the extract these details came from.")),
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
                        to="cohort.patient",
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "formats_needed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("LARGE_PRINT", "Large print"),
                                ("EASY_READ", "Easy read"),
                                ("BRAILLE", "Braille"),
                                ("AUDIO", "Audio"),
                            ],
                            max_length=11,
                        ),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "language",
                    models.CharField(blank=True, db_default="", help_text="BCP 47; empty for English.", max_length=15),
                ),
                (
                    "preferred_channel",
                    models.CharField(
                        blank=True,
                        choices=[("LETTER", "Letter"), ("SMS", "Sms"), ("PHONE", "Phone"), ("EMAIL", "Email")],
                        db_default="",
                        max_length=6,
                    ),
                ),
                (
                    "returned_address",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="The address, as printed and in capitals, that a letter came back from.",
                    ),
                ),
                ("returned_at", models.DateTimeField(blank=True, null=True)),
                ("undeliverable_at", models.DateTimeField(blank=True, null=True)),
                (
                    "undeliverable_mobile",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="The number, without spaces, that texts do not reach.",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HospitalList",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("via", models.CharField(choices=[("UPLOAD", "Uploaded"), ("API", "By the API")], max_length=6)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Waiting"),
                            ("CHECKED", "Checked"),
                            ("SENDING", "Sending"),
                            ("SENT", "Sent"),
                            ("FAILED", "Failed"),
                        ],
                        max_length=7,
                    ),
                ),
                ("checked_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, help_text="When it was asked for.", null=True)),
                ("sha256", models.CharField(help_text="Of what was sent.", max_length=64)),
                ("idempotency_key", models.CharField(blank=True, max_length=100, null=True)),
                ("errors", models.JSONField(blank=True, default=list)),
                ("rejected", models.JSONField(blank=True, default=list)),
                (
                    "checked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hospital_lists",
                        to="accounts.organisation",
                    ),
                ),
                ("waiting", models.JSONField(blank=True, db_default=[], default=list)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[("STOPPED", "Stopped"), ("NO_RECORDS", "No_Records"), ("FAULT", "Fault")],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["unit", "-checked_at"], name="hospital_list_by_unit")],
                "constraints": [
                    models.UniqueConstraint(fields=("unit", "idempotency_key"), name="one_list_per_idempotency_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("sent_at__isnull", False),
                                ("sent_by__isnull", False),
                                ("state__in", ["SENDING", "SENT"]),
                            ),
                            models.Q(
                                ("sent_at__isnull", True),
                                ("sent_by__isnull", True),
                                ("state__in", ["WAITING", "CHECKED"]),
                            ),
                            models.Q(("sent_at__isnull", True), ("sent_by__isnull", True), ("state", "FAILED")),
                            models.Q(("sent_at__isnull", False), ("sent_by__isnull", False), ("state", "FAILED")),
                            _connector="OR",
                        ),
                        name="hospital_list_sent_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "FAILED"), models.Q(("failure", ""), _negated=True)),
                            models.Q(models.Q(("state", "FAILED"), _negated=True), ("failure", "")),
                            _connector="OR",
                        ),
                        name="a_failed_list_says_why",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{CHECKED:SENDING,FAILED:SENDING,FAILED:WAITING,SENDING:FAILED,SENDING:SENT,WAITING:CHECKED,WAITING:FAILED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="a328ce639b5b51e8c90684a399c2d76e22a646c1",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_9e6c8",
                            table="cohort_hospitallist",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="sent_lists_stay",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.\"state\" = 'SENT')",
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="8f82290c890a646f723918e87b6151b413e3d5ab",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_sent_lists_stay_0cdef",
                            table="cohort_hospitallist",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnitToken",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="Which computer it is for.", max_length=100)),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "begins",
                    models.CharField(
                        help_text="Its first characters, to tell tokens apart.",
                        max_length=8,
                        verbose_name="begins with",
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tokens", to="accounts.membership"
                    ),
                ),
                (
                    "revoked_by",
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
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at__isnull", True), ("revoked_by__isnull", True)),
                            models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="token_revoked_at_and_by",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="e0fea3e9f6cf0e54518b6c5ca87d1d1a00a275d5",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_ed3d8",
                            table="cohort_unittoken",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "cohort_unittokenevent" ("begins", "expires_at", "id", "made_at", "made_by_id", "membership_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "revoked_by_id") VALUES (NEW."begins", NEW."expires_at", NEW."id", NEW."made_at", NEW."made_by_id", NEW."membership_id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."revoked_at", NEW."revoked_by_id"); RETURN NULL;',
                            hash="a19a0d3be0312f0aaab38206f4f4ab1bdca048e4",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_d7f04",
                            table="cohort_unittoken",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."begins" IS DISTINCT FROM (NEW."begins") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."made_by_id" IS DISTINCT FROM (NEW."made_by_id") OR OLD."membership_id" IS DISTINCT FROM (NEW."membership_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."revoked_by_id" IS DISTINCT FROM (NEW."revoked_by_id"))',
                            func='INSERT INTO "cohort_unittokenevent" ("begins", "expires_at", "id", "made_at", "made_by_id", "membership_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "revoked_by_id") VALUES (NEW."begins", NEW."expires_at", NEW."id", NEW."made_at", NEW."made_by_id", NEW."membership_id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."revoked_at", NEW."revoked_by_id"); RETURN NULL;',
                            hash="b41cb176ad0db1eb56ccc942876087dda6cdbb3c",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_3ae89",
                            table="cohort_unittoken",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnitTokenEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("name", models.CharField(help_text="Which computer it is for.", max_length=100)),
                (
                    "begins",
                    models.CharField(
                        help_text="Its first characters, to tell tokens apart.",
                        max_length=8,
                        verbose_name="begins with",
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
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
                        to="cohort.unittoken",
                    ),
                ),
                (
                    "revoked_by",
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
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReviewQuery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("question", models.CharField(max_length=500)),
                ("asked_at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, max_length=500)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="review_queries", to="cohort.patient"
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_queries",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "to",
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
                "verbose_name_plural": "review queries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=["practice", "patient"],
                        name="open_query_by_practice",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at__isnull", True), ("answered_by__isnull", True)),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="review_query_answered_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("question", ""), _negated=True), name="review_query_asks_something"
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="only_its_answer_is_written",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."practice_id" IS DISTINCT FROM (NEW."practice_id") OR OLD."question" IS DISTINCT FROM (NEW."question") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."to_id" IS DISTINCT FROM (NEW."to_id"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="88fc0ec42cee5596175afa7407eca08c453b5df3",
                            operation="UPDATE",
                            pgid="pgtrigger_only_its_answer_is_written_c7f5f",
                            table="cohort_reviewquery",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="answered_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."answered_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="98d9cce8e11973e0fd4fca7beffc5b345c7cc292",
                            operation="UPDATE",
                            pgid="pgtrigger_answered_once_d8ba2",
                            table="cohort_reviewquery",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="47dcaf8a3ebf6966c766437d77f7c8fdb6a68209",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_1b149",
                            table="cohort_reviewquery",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Amendment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "detail",
                    models.CharField(
                        choices=[
                            ("ADDRESS", "Address"),
                            ("MOBILE", "Mobile"),
                            ("LANDLINE", "Landline"),
                            ("EMAIL", "Email"),
                            ("MOVED_AWAY", "Moved away"),
                            ("DEATH", "Death"),
                            ("ASKED_NOT", "Asked not to be contacted"),
                            ("UNSAFE_CHANNELS", "Not safe to use"),
                            ("SAFE_CONTACT", "How to contact them safely"),
                            ("FORMATS", "Formats needed"),
                            ("LANGUAGE", "Language"),
                            ("PREFERRED_CHANNEL", "Preferred way to be contacted"),
                        ],
                        max_length=20,
                    ),
                ),
                ("value", models.JSONField()),
                ("extract_said", models.JSONField(blank=True, null=True)),
                ("extract_says", models.JSONField(blank=True, null=True)),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_as",
                    models.CharField(
                        blank=True,
                        choices=[("WITHDRAWN", "Withdrawn"), ("REPLACED", "Replaced"), ("EXTRACT", "Extract")],
                        max_length=10,
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="amendments", to="cohort.patient"
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("patient", "detail"),
                        name="one_standing_amendment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_as", ""), ("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_as", "EXTRACT"), ("ended_by__isnull", True)),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_by__isnull", False),
                                ("ended_as__in", ["WITHDRAWN", "REPLACED"]),
                            ),
                            _connector="OR",
                        ),
                        name="amendment_ended_at_as_and_by",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="only_its_end_is_written",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."practice_id" IS DISTINCT FROM (NEW."practice_id") OR OLD."detail" IS DISTINCT FROM (NEW."detail") OR OLD."value" IS DISTINCT FROM (NEW."value") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."made_by_id" IS DISTINCT FROM (NEW."made_by_id"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="bb932537b8b633c649562f46c53be5f256753891",
                            operation="UPDATE",
                            pgid="pgtrigger_only_its_end_is_written_e9aff",
                            table="cohort_amendment",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="ends_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."ended_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="40022efaf36907141dc0d36887cdc43af0dbd527",
                            operation="UPDATE",
                            pgid="pgtrigger_ends_once_11827",
                            table="cohort_amendment",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="d2576658e725d0f0ee233276883d1af13aa608d1",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_5211e",
                            table="cohort_amendment",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RemovalDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("CONDITION_NOT_PRESENT", "They do not have the condition"),
                            ("CONDITION_RESOLVED", "They had the condition but no longer do"),
                            ("LOW_RISK", "They have the condition but are not at high risk"),
                            ("MOVED_AWAY", "They have moved away or left the practice"),
                            ("DIED", "They have died"),
                            ("ADDED_BY_MISTAKE", "They were added by mistake"),
                            ("OTHER", "Another reason"),
                        ],
                        max_length=30,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200)),
                ("is_patient_told", models.BooleanField(blank=True, null=True)),
                ("saved_at", models.DateTimeField()),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="removal_drafts", to="cohort.patient"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("patient", "user"), name="one_removal_draft_a_user")],
            },
        ),
        migrations.CreateModel(
            name="RiskList",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("model", models.CharField(max_length=100)),
                ("version", models.CharField(max_length=50)),
                ("as_at", models.DateField(help_text="The latest date in the list.")),
                (
                    "threshold",
                    models.FloatField(
                        blank=True, help_text="The lowest score that counts, of a list of scores.", null=True
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("loaded_at", models.DateTimeField()),
                (
                    "counts",
                    models.JSONField(
                        default=dict, help_text="What loading it did: people and lines, by what became of them."
                    ),
                ),
                (
                    "loaded_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("model", "sha256", "threshold"), name="a_risk_list_is_loaded_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("model", ""), _negated=True), models.Q(("version", ""), _negated=True)
                        ),
                        name="a_risk_list_names_its_model",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="4210ba43336f6b4b587d0556ee94c3048810ea61",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_290dd",
                            table="cohort_risklist",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeListVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("origin", models.CharField(help_text="File name, publisher and version as given.", max_length=300)),
                ("sha256", models.CharField(max_length=64)),
                ("loaded_at", models.DateTimeField()),
                (
                    "code_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="cohort.codelist"
                    ),
                ),
                (
                    "loaded_by",
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
                "constraints": [
                    models.UniqueConstraint(fields=("code_list", "number"), name="code_list_versions_are_numbered"),
                    models.UniqueConstraint(fields=("code_list", "sha256"), name="same_file_is_the_same_version"),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="eb5c76d67259f0038ef1779561e28f07e8160352",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_0fb0f",
                            table="cohort_codelistversion",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeListCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=10)),
                ("code", models.CharField(max_length=20)),
                ("paired_code", models.CharField(blank=True, max_length=20)),
                ("term", models.CharField(blank=True, max_length=300)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="codes", to="cohort.codelistversion"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "system", "code", "paired_code"), name="one_row_per_code"
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c749bd35dd26e9ca4db4d205ef610cd3582e4ef8",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_752a6",
                            table="cohort_codelistcode",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CriterionVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("plain_english", models.TextField()),
                ("published_at", models.DateTimeField()),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="cohort.criterion"
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("reason", models.TextField(blank=True, help_text="What changed and why.")),
                (
                    "signed_off_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("code_lists", models.ManyToManyField(related_name="criterion_versions", to="cohort.codelistversion")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("signed_off_by__isnull", True), ("written_by__isnull", True)),
                            models.Q(
                                ("signed_off_by__isnull", False),
                                ("written_by__isnull", False),
                                models.Q(("written_by", models.F("signed_off_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="signed_off_by_another_than_the_author",
                    ),
                    models.UniqueConstraint(fields=("criterion", "number"), name="criterion_versions_are_numbered"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1)), name="criterion_versions_start_at_one"
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="b42d8f53ac79e9584dda8747699980018cfcf428",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_a0d84",
                            table="cohort_criterionversion",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CriterionDraft",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("PROPOSED", "Proposed"),
                            ("PUBLISHED", "Published"),
                            ("DISCARDED", "Discarded"),
                        ],
                        default="DRAFT",
                        max_length=10,
                    ),
                ),
                ("revision_number", models.PositiveIntegerField(default=0)),
                ("reason", models.TextField(blank=True, help_text="What changes and why, as proposed.")),
                ("begun_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "based_on",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohort.criterionversion",
                    ),
                ),
                (
                    "begun_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="drafts", to="cohort.criterion"
                    ),
                ),
                (
                    "ended_by",
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
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["DRAFT", "PROPOSED"])),
                        fields=("criterion",),
                        name="one_open_draft_a_criterion",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="draft_ended_at_and_by",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{DRAFT:DISCARDED,DRAFT:PROPOSED,PROPOSED:DISCARDED,PROPOSED:DRAFT,PROPOSED:PUBLISHED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="19958315bd794d04cc8f656099f7ae7e5c57a8e1",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_2eb0e",
                            table="cohort_criteriondraft",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="published_when_signed",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (NEW.\"state\" = 'PUBLISHED' AND OLD.\"state\" = 'PROPOSED')",
                            func="\n        IF NOT EXISTS (\n            SELECT 1 FROM cohort_signoff s JOIN cohort_draftrevision r ON r.id = s.revision_id\n            WHERE r.draft_id = NEW.id AND r.number = NEW.revision_number AND s.outcome = 'APPROVED'\n        ) THEN\n            RAISE EXCEPTION 'A second clinician has not approved this revision' USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ",
                            hash="825a5d159de0118e05378d37c2e8d96057b8e9be",
                            operation="UPDATE",
                            pgid="pgtrigger_published_when_signed_33dce",
                            table="cohort_criteriondraft",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="255ea1591e12e510ec71ac40295bc90b4d377dae",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_d74cc",
                            table="cohort_criteriondraft",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DraftRevision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                (
                    "fingerprint",
                    models.CharField(help_text="SHA-256 of the definition and the code list versions.", max_length=64),
                ),
                ("what", models.CharField(max_length=300, verbose_name="what was changed")),
                ("is_change", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="cohort.criteriondraft",
                    ),
                ),
                ("code_lists", models.ManyToManyField(related_name="+", to="cohort.codelistversion")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("draft", "number"), name="draft_revisions_are_numbered")
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="be167d79c7149d8a3bf68543735bb9bf6f04dea6",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_a9b28",
                            table="cohort_draftrevision",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(help_text="Of the revision, as it was read.", max_length=64)),
                (
                    "outcome",
                    models.CharField(choices=[("APPROVED", "Approved"), ("DECLINED", "Declined")], max_length=10),
                ),
                ("comment", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sign_offs", to="cohort.draftrevision"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", "APPROVED"), models.Q(("comment", ""), _negated=True), _connector="OR"
                        ),
                        name="declining_says_why",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="896874c120ac07ef1e825dfdf5870f15e7384a29",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_19d68",
                            table="cohort_signoff",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="signed_by_another",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE of_draft uuid;",
                            func="\n        SELECT draft_id INTO of_draft FROM cohort_draftrevision WHERE id = NEW.revision_id;\n        IF EXISTS (\n            SELECT 1 FROM cohort_draftrevision WHERE draft_id = of_draft AND changed_by_id = NEW.by_id AND is_change\n        ) THEN\n            RAISE EXCEPTION 'Nobody signs off their own change' USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ",
                            hash="7541ab0d7a89488a081c65473f5070f8c91072c8",
                            operation="INSERT",
                            pgid="pgtrigger_signed_by_another_77b07",
                            table="cohort_signoff",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssuranceCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("birth_date", models.DateField()),
                (
                    "sex",
                    models.CharField(
                        choices=[("F", "Female"), ("M", "Male"), ("O", "Other"), ("U", "Not known")], max_length=1
                    ),
                ),
                ("records", models.JSONField(blank=True, default=list)),
                ("search_date", models.DateField()),
                ("expected", models.BooleanField(verbose_name="should meet the criterion")),
                ("why", models.TextField()),
                ("added_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                ("retired_why", models.CharField(blank=True, max_length=300)),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="cohort.criterion"
                    ),
                ),
                (
                    "retired_by",
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
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at", None)),
                        fields=("criterion", "name"),
                        name="one_standing_case_of_a_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("birth_date__lte", models.F("search_date"))),
                        name="example_people_are_born_by_the_search",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("retired_at__isnull", True), ("retired_why", "")),
                            models.Q(("retired_at__isnull", False), models.Q(("retired_why", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="retired_cases_say_why",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="only_its_retirement_is_written",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."criterion_id" IS DISTINCT FROM (NEW."criterion_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."birth_date" IS DISTINCT FROM (NEW."birth_date") OR OLD."sex" IS DISTINCT FROM (NEW."sex") OR OLD."records" IS DISTINCT FROM (NEW."records") OR OLD."search_date" IS DISTINCT FROM (NEW."search_date") OR OLD."expected" IS DISTINCT FROM (NEW."expected") OR OLD."why" IS DISTINCT FROM (NEW."why") OR OLD."added_at" IS DISTINCT FROM (NEW."added_at") OR OLD."added_by_id" IS DISTINCT FROM (NEW."added_by_id"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="656b860e8e28600a35defbd8b47a16418deeeec4",
                            operation="UPDATE",
                            pgid="pgtrigger_only_its_retirement_is_written_66839",
                            table="cohort_assurancecase",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="retires_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."retired_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="c54134c6d565b658990981a36380572dc766ca97",
                            operation="UPDATE",
                            pgid="pgtrigger_retires_once_c57da",
                            table="cohort_assurancecase",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="410996fa4b62e4c80eb1134816df10ff3dd6e52d",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_1dead",
                            table="cohort_assurancecase",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MendedRows",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("file", models.CharField(help_text="The name of the file of rejected rows.", max_length=200)),
                ("sent_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "Waiting for a worker"),
                            ("RUNNING", "Being added"),
                            ("ADDED", "Added"),
                            ("REFUSED", "Refused"),
                            ("FAILED", "Failed"),
                        ],
                        default="QUEUED",
                        max_length=10,
                    ),
                ),
                ("doing", models.CharField(blank=True, max_length=100)),
                ("problems", models.JSONField(blank=True, default=list)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "extract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mendings", to="cohort.extract"
                    ),
                ),
                (
                    "result",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohort.extract",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["QUEUED", "RUNNING"])),
                        fields=("extract",),
                        name="an_extract_is_mended_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("result__isnull", False), ("state", "ADDED")),
                            models.Q(models.Q(("state", "ADDED"), _negated=True), ("result__isnull", True)),
                            _connector="OR",
                        ),
                        name="mended_rows_added_have_a_result",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("state__in", ["QUEUED", "RUNNING"])),
                            models.Q(
                                models.Q(("state__in", ["QUEUED", "RUNNING"]), _negated=True),
                                ("finished_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="mended_rows_finished_have_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "Queued"),
                            ("RUNNING", "Running"),
                            ("LANDED", "Landed"),
                            ("FAILED", "Failed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="QUEUED",
                        max_length=10,
                    ),
                ),
                ("search_date", models.DateField(help_text="Ages and windows are counted from here.")),
                ("requested_at", models.DateTimeField()),
                ("stale_sources_reason", models.CharField(blank=True, max_length=300)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("doing", models.CharField(blank=True, max_length=100, verbose_name="what it is doing")),
                ("error", models.TextField(blank=True)),
                ("people_searched", models.BigIntegerField(blank=True, null=True)),
                ("people_flagged", models.BigIntegerField(blank=True, null=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "people_not_searched",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Found before, and in no file of patients now: their flags stayed as they were.",
                        null=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("FULL", "Full"), ("INCREMENTAL", "Incremental")],
                        db_default="FULL",
                        default="FULL",
                        max_length=11,
                    ),
                ),
                (
                    "kind_reason",
                    models.CharField(blank=True, db_default="", help_text="Why it is of that kind.", max_length=300),
                ),
                (
                    "since",
                    models.ForeignKey(
                        blank=True,
                        help_text="The run that an incremental one starts from.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="cohort.searchrun",
                    ),
                ),
                ("extracts", models.ManyToManyField(related_name="runs", to="cohort.extract")),
                ("criteria", models.ManyToManyField(related_name="runs", to="cohort.criterionversion")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1),
                        condition=models.Q(("state__in", ["QUEUED", "RUNNING"])),
                        name="one_search_at_a_time",
                    ),
                    models.CheckConstraint(condition=models.Q(("percent__lte", 100)), name="percent_is_at_most_100"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "INCREMENTAL"), ("since__isnull", False)),
                            models.Q(("kind", "FULL"), ("since__isnull", True)),
                            _connector="OR",
                        ),
                        name="an_incremental_run_starts_from_another",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="4dbebdbe07d22d59844ab67efeac44e221df5a9a",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_fa718",
                            table="cohort_searchrun",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{QUEUED:CANCELLED,QUEUED:FAILED,QUEUED:RUNNING,RUNNING:CANCELLED,RUNNING:FAILED,RUNNING:LANDED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="780766033ead1122a5d6ec34cf4d0275836a8a6b",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_c9349",
                            table="cohort_searchrun",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "cohort_searchrunevent" ("doing", "error", "finished_at", "id", "kind", "kind_reason", "people_flagged", "people_not_searched", "people_searched", "percent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "requested_at", "requested_by_id", "search_date", "since_id", "stale_sources_reason", "started_at", "state") VALUES (NEW."doing", NEW."error", NEW."finished_at", NEW."id", NEW."kind", NEW."kind_reason", NEW."people_flagged", NEW."people_not_searched", NEW."people_searched", NEW."percent", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."requested_at", NEW."requested_by_id", NEW."search_date", NEW."since_id", NEW."stale_sources_reason", NEW."started_at", NEW."state"); RETURN NULL;',
                            hash="eb4573c9b2e9222ad0212fbe6e0b5a98f2969a8e",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_f4e54",
                            table="cohort_searchrun",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "cohort_searchrunevent" ("doing", "error", "finished_at", "id", "kind", "kind_reason", "people_flagged", "people_not_searched", "people_searched", "percent", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "requested_at", "requested_by_id", "search_date", "since_id", "stale_sources_reason", "started_at", "state") VALUES (NEW."doing", NEW."error", NEW."finished_at", NEW."id", NEW."kind", NEW."kind_reason", NEW."people_flagged", NEW."people_not_searched", NEW."people_searched", NEW."percent", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."requested_at", NEW."requested_by_id", NEW."search_date", NEW."since_id", NEW."stale_sources_reason", NEW."started_at", NEW."state"); RETURN NULL;',
                            hash="c7c9ae61bc34723903dd5f00cda6602f7812bd7b",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_551ab",
                            table="cohort_searchrun",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchRunEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "Queued"),
                            ("RUNNING", "Running"),
                            ("LANDED", "Landed"),
                            ("FAILED", "Failed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="QUEUED",
                        max_length=10,
                    ),
                ),
                ("search_date", models.DateField(help_text="Ages and windows are counted from here.")),
                ("requested_at", models.DateTimeField()),
                ("stale_sources_reason", models.CharField(blank=True, max_length=300)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("doing", models.CharField(blank=True, max_length=100, verbose_name="what it is doing")),
                ("error", models.TextField(blank=True)),
                ("people_searched", models.BigIntegerField(blank=True, null=True)),
                ("people_flagged", models.BigIntegerField(blank=True, null=True)),
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
                        to="cohort.searchrun",
                    ),
                ),
                (
                    "requested_by",
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
                    "people_not_searched",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Found before, and in no file of patients now: their flags stayed as they were.",
                        null=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("FULL", "Full"), ("INCREMENTAL", "Incremental")],
                        db_default="FULL",
                        default="FULL",
                        max_length=11,
                    ),
                ),
                (
                    "kind_reason",
                    models.CharField(blank=True, db_default="", help_text="Why it is of that kind.", max_length=300),
                ),
                (
                    "since",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="The run that an incremental one starts from.",
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cohort.searchrun",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Flag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "criterion_version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flags",
                        to="cohort.criterionversion",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flags",
                        to="cohort.patient",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flags",
                        to="cohort.searchrun",
                    ),
                ),
                (
                    "ended_in",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ended_flags",
                        to="cohort.searchrun",
                    ),
                ),
                (
                    "fingerprint",
                    models.BigIntegerField(db_default=0, help_text="Of the evidence, as the search engine makes it."),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_in__isnull", False)), fields=["ended_in"], name="flag_ended_in"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_in", None)),
                        fields=("patient", "criterion_version"),
                        name="one_standing_flag",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="only_its_end_is_written",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."run_id" IS DISTINCT FROM (NEW."run_id") OR OLD."patient_id" IS DISTINCT FROM (NEW."patient_id") OR OLD."criterion_version_id" IS DISTINCT FROM (NEW."criterion_version_id") OR OLD."fingerprint" IS DISTINCT FROM (NEW."fingerprint"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="4140056852e0c21096204e1d3289701e72d6a43d",
                            operation="UPDATE",
                            pgid="pgtrigger_only_its_end_is_written_401ef",
                            table="cohort_flag",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="ends_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."ended_in_id" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="1943dbb922a7c5147ab22e2c3ae83f2d31dfd98a",
                            operation="UPDATE",
                            pgid="pgtrigger_ends_once_98fde",
                            table="cohort_flag",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="39b8b3441547cb2d44a0cd085246ff3ce94c6dcd",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_ee0d6",
                            table="cohort_flag",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="refer_to_what_is_there",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE missing BIGINT;",
                            func="\n        EXECUTE 'SELECT (SELECT count(*) FROM added WHERE NOT EXISTS ('\n            '  SELECT 1 FROM cohort_patient p WHERE p.id = added.patient_id)) + (SELECT count(*) FROM ('\n            '  SELECT DISTINCT criterion_version_id AS id FROM added) a'\n            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_criterionversion v WHERE v.id = a.id)) + (SELECT count(*) FROM ('\n            '  SELECT DISTINCT run_id AS id FROM added) a'\n            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_searchrun r WHERE r.id = a.id))' INTO missing;\n        IF missing > 0 THEN\n            RAISE EXCEPTION 'Flags name a person, a criterion or a run that is not there'\n                USING ERRCODE = 'foreign_key_violation';\n        END IF;\n        RETURN NULL;\n    ",
                            hash="747be12e91ae254e46e941828a5d4029f70eb846",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_refer_to_what_is_there_95f41",
                            referencing="REFERENCING NEW TABLE AS added ",
                            table="cohort_flag",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "clause",
                    models.CharField(help_text="The clause of the criterion, in plain English.", max_length=200),
                ),
                ("system", models.CharField(blank=True, max_length=10)),
                ("code", models.CharField(blank=True, max_length=20)),
                ("term", models.CharField(blank=True, max_length=300)),
                ("event_date", models.DateField(blank=True, null=True)),
                ("source", models.CharField(blank=True, max_length=10)),
                ("detail", models.CharField(blank=True, max_length=200)),
                (
                    "code_list_version",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="cohort.codelistversion",
                    ),
                ),
                (
                    "flag",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence",
                        to="cohort.flag",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="445e059da683acf77a9647d10ac1ecb4948a3e79",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_4ce67",
                            table="cohort_evidence",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="refer_to_what_is_there",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE missing BIGINT;",
                            func="\n        EXECUTE 'SELECT (SELECT count(*) FROM added WHERE NOT EXISTS ('\n            '  SELECT 1 FROM cohort_flag f WHERE f.id = added.flag_id)) + (SELECT count(*) FROM ('\n            '  SELECT DISTINCT code_list_version_id AS id FROM added WHERE code_list_version_id IS NOT NULL) a'\n            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_codelistversion v WHERE v.id = a.id))' INTO missing;\n        IF missing > 0 THEN\n            RAISE EXCEPTION 'Evidence names a flag or a code list that is not there'\n                USING ERRCODE = 'foreign_key_violation';\n        END IF;\n        RETURN NULL;\n    ",
                            hash="cdb9401fab6b219ce6dd34bd5214a29ff93801f3",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_refer_to_what_is_there_6ebdf",
                            referencing="REFERENCING NEW TABLE AS added ",
                            table="cohort_evidence",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("people", models.PositiveIntegerField()),
                (
                    "criterion_version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="cohort.criterionversion"),
                ),
                (
                    "practice",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="counts", to="cohort.searchrun"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "criterion_version", "practice"), name="one_count_per_practice"
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="03661cb5c9bd59d234eb4a603234b2fbf4d4af57",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_988c7",
                            table="cohort_searchcount",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchAttrition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.PositiveIntegerField(help_text="The clause's place in the order of the rule, from 0."),
                ),
                ("path", models.CharField(blank=True, max_length=50)),
                ("label", models.TextField()),
                ("people", models.PositiveIntegerField()),
                ("remaining", models.PositiveIntegerField()),
                (
                    "criterion_version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="cohort.criterionversion"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attrition", to="cohort.searchrun"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "criterion_version", "number"), name="one_attrition_per_clause"
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="898f4b5c05f4d50c9ff754a56be12cc6fe072e94",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_aaebd",
                            table="cohort_searchattrition",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchCombination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "criterion_versions",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                ("people", models.PositiveIntegerField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="combinations", to="cohort.searchrun"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "criterion_versions"), name="one_count_per_combination")
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="989aa19dc8eb21c33303bad81b120955c8066df1",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_3e1e8",
                            table="cohort_searchcombination",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("age_band", models.CharField(max_length=10)),
                ("sex", models.CharField(blank=True, max_length=10)),
                ("people", models.PositiveIntegerField()),
                (
                    "criterion_version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="cohort.criterionversion"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="groups", to="cohort.searchrun"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "criterion_version", "age_band", "sex"), name="one_count_per_age_band_and_sex"
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="b497670021991eec11096542a9846a0849e1a989",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_f7047",
                            table="cohort_searchgroup",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PracticeList",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("due_date", models.DateField()),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="practice_lists",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="practice_lists",
                        to="cohort.searchrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "practice"), name="one_list_per_run_and_practice"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("submitted_at__isnull", True), ("submitted_by__isnull", True)),
                            models.Q(("submitted_at__isnull", False), ("submitted_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="list_submitted_at_and_by",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "cohort_practicelistevent" ("due_date", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "practice_id", "run_id", "submitted_at", "submitted_by_id") VALUES (NEW."due_date", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."practice_id", NEW."run_id", NEW."submitted_at", NEW."submitted_by_id"); RETURN NULL;',
                            hash="77a4af9102dd839a1a1c496948501bfa10ea5a5c",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_8de95",
                            table="cohort_practicelist",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "cohort_practicelistevent" ("due_date", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "practice_id", "run_id", "submitted_at", "submitted_by_id") VALUES (NEW."due_date", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."practice_id", NEW."run_id", NEW."submitted_at", NEW."submitted_by_id"); RETURN NULL;',
                            hash="9a65d74dfb868337fc631966f97f64817d413ae9",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_2b40a",
                            table="cohort_practicelist",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PracticeListEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("due_date", models.DateField()),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
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
                        to="cohort.practicelist",
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "submitted_by",
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
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cohort.searchrun",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BulkReceipt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "confirmed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("refused", models.JSONField(blank=True, default=dict)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "kept",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "practice_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="cohort.practicelist"
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, db_default=[], default=list, size=None
                    ),
                ),
                (
                    "removed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, db_default=[], default=list, size=None
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("undone_at__isnull", True), ("undone_by__isnull", True)),
                            models.Q(("undone_at__isnull", False), ("undone_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="bulk_receipt_undone_at_and_by",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="only_its_undo_is_written",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."practice_list_id" IS DISTINCT FROM (NEW."practice_list_id") OR OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."confirmed" IS DISTINCT FROM (NEW."confirmed") OR OLD."removed" IS DISTINCT FROM (NEW."removed") OR OLD."changed" IS DISTINCT FROM (NEW."changed") OR OLD."refused" IS DISTINCT FROM (NEW."refused"))',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="d4780df8a3eac8a97e747132a664366fddf01c88",
                            operation="UPDATE",
                            pgid="pgtrigger_only_its_undo_is_written_38b92",
                            table="cohort_bulkreceipt",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="undone_once",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."undone_at" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                            hash="851c3b161b61210b545acd49824172c3caeb9b8b",
                            operation="UPDATE",
                            pgid="pgtrigger_undone_once_6f754",
                            table="cohort_bulkreceipt",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="never_deleted",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="398b809e66353e0d251af3747b6e1b44ae26a1e8",
                            operation="DELETE",
                            pgid="pgtrigger_never_deleted_76103",
                            table="cohort_bulkreceipt",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
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
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("act", "SIGNED_OFF"), ("reason", "")),
                            models.Q(("act", "REOPENED"), models.Q(("reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="a_reopening_has_a_reason",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="eb2f412c56ac9c560ce6ebf193ad3961fdccf319",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_0bdd4",
                            table="cohort_listsignoff",
                            when="BEFORE",
                        ),
                    )
                ],
            },
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
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="e96e13e043c694f86839bf63d28884b99afd28ae",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_1cfaa",
                            table="cohort_latedecision",
                            when="BEFORE",
                        ),
                    )
                ],
            },
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
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("practice_list", "kind", "due_date"), name="one_reminder_of_a_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "SENT"), ("written_to__gt", 0)),
                            models.Q(
                                models.Q(("state", "SENT"), _negated=True), ("sent_at__isnull", True), ("written_to", 0)
                            ),
                            _connector="OR",
                        ),
                        name="sent_means_to_somebody",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
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
                    pgtrigger.compiler.Trigger(
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
                ],
            },
        ),
        migrations.CreateModel(
            name="ListFact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("ALGORITHM", "ALGORITHM"),
                            ("RISK_MODEL", "RISK_MODEL"),
                            ("GP", "GP"),
                            ("HOSPITAL", "HOSPITAL"),
                            ("PATIENT", "PATIENT"),
                        ],
                        max_length=10,
                    ),
                ),
                ("request", models.CharField(blank=True, choices=[("ADD", "Add"), ("REMOVE", "Remove")], max_length=6)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="accounts.organisation",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="facts",
                        to="cohort.patient",
                    ),
                ),
                (
                    "withdraws",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawn_by",
                        to="cohort.listfact",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="cohort.searchrun",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient", "at"], name="fact_patient_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("request", ""), ("withdraws__isnull", False)),
                            models.Q(models.Q(("request", ""), _negated=True), ("withdraws__isnull", True)),
                            _connector="OR",
                        ),
                        name="a_fact_asks_or_withdraws",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("source", "ALGORITHM"), _negated=True), ("run__isnull", False), _connector="OR"
                        ),
                        name="an_algorithm_fact_has_a_run",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="356b006a219ade8e3ec935a257cc00255360cf41",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_2a7d6",
                            table="cohort_listfact",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="one_standing_algorithm_fact",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n        IF EXISTS (\n            SELECT 1 FROM added JOIN cohort_listfact other USING (patient_id)\n            WHERE added.source = 'ALGORITHM' AND added.request = 'ADD' AND added.id <> other.id\n            AND other.source = 'ALGORITHM' AND other.request = 'ADD'\n            AND NOT EXISTS (SELECT 1 FROM cohort_listfact back WHERE back.withdraws_id = other.id)\n        ) THEN\n            RAISE EXCEPTION 'The search has said so already, and it stands' USING ERRCODE = 'unique_violation';\n        END IF;\n        RETURN NULL;\n    ",
                            hash="fa3d61fe1c5f5c6a2179a0aace50950fc37771f5",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_one_standing_algorithm_fact_cbb33",
                            referencing="REFERENCING NEW TABLE AS added ",
                            table="cohort_listfact",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="refer_to_what_is_there",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE missing BOOLEAN;",
                            func="\n        EXECUTE 'SELECT EXISTS (SELECT 1 FROM added WHERE NOT EXISTS ('\n            '  SELECT 1 FROM cohort_patient p WHERE p.id = added.patient_id)) OR EXISTS (SELECT 1 FROM ('\n            '  SELECT DISTINCT by_id AS id FROM added WHERE by_id IS NOT NULL) a'\n            '  WHERE NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = a.id)) OR EXISTS (SELECT 1 FROM ('\n            '  SELECT DISTINCT organisation_id AS id FROM added WHERE organisation_id IS NOT NULL) a'\n            '  WHERE NOT EXISTS (SELECT 1 FROM accounts_organisation o WHERE o.id = a.id)) OR EXISTS (SELECT 1 FROM ('\n            '  SELECT DISTINCT run_id AS id FROM added WHERE run_id IS NOT NULL) a'\n            '  WHERE NOT EXISTS (SELECT 1 FROM cohort_searchrun r WHERE r.id = a.id))' INTO missing;\n        IF missing THEN\n            RAISE EXCEPTION 'A fact names a person, a user, an organisation or a run that is not there'\n                USING ERRCODE = 'foreign_key_violation';\n        END IF;\n        RETURN NULL;\n    ",
                            hash="a5a879b842d331c5f2e32c36a57a333ddd89ea39",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_refer_to_what_is_there_a9820",
                            referencing="REFERENCING NEW TABLE AS added ",
                            table="cohort_listfact",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ListEntry",
            fields=[
                (
                    "patient",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="entry",
                        serialize=False,
                        to="cohort.patient",
                    ),
                ),
                ("is_on_list", models.BooleanField()),
                ("changed_at", models.DateTimeField(help_text="When they last came on or went off the list.")),
                ("is_flagged", models.BooleanField(help_text="A search has ever flagged them.")),
                (
                    "review_state",
                    models.CharField(
                        choices=[
                            ("TO_REVIEW", "To review"),
                            ("CONFIRMED", "Confirmed"),
                            ("REMOVED", "Removed"),
                            ("ADDED", "Added"),
                            ("LAPSED", "Lapsed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "removal_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("CONDITION_NOT_PRESENT", "They do not have the condition"),
                            ("CONDITION_RESOLVED", "They had the condition but no longer do"),
                            ("LOW_RISK", "They have the condition but are not at high risk"),
                            ("MOVED_AWAY", "They have moved away or left the practice"),
                            ("DIED", "They have died"),
                            ("ADDED_BY_MISTAKE", "They were added by mistake"),
                            ("OTHER", "Another reason"),
                        ],
                        max_length=30,
                    ),
                ),
                ("removal_detail", models.CharField(blank=True, max_length=300)),
                (
                    "is_patient_told",
                    models.BooleanField(blank=True, help_text="Has the person been told of the removal?", null=True),
                ),
                (
                    "because",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohort.listfact",
                    ),
                ),
                (
                    "practice_list",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="cohort.practicelist",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "listed_at",
                    models.DateTimeField(blank=True, help_text="When they came onto this practice's list.", null=True),
                ),
                (
                    "recheck",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("REASON_NEW", "The search has found another reason"),
                            ("REASON_GONE", "The search no longer finds one of the reasons"),
                            ("MOVED_HERE", "They have registered here since another practice decided"),
                            ("DETAILS_CHANGED", "Whether or how to contact them has changed"),
                            ("HOSPITAL_DISAGREES", "A hospital has asked for the opposite"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                ("recheck_at", models.DateTimeField(blank=True, null=True)),
                (
                    "sort_key",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Their place on a page: strength, then name. See cohort.actions.order.",
                    ),
                ),
                (
                    "strength",
                    models.CharField(
                        blank=True,
                        choices=[("CLEAR", "Clear"), ("LIKELY", "Likely"), ("DOUBTFUL", "Doubtful")],
                        db_default="",
                        default="",
                        help_text="How strong the search's evidence is; empty where it finds nothing.",
                        max_length=8,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "list entries",
                "indexes": [
                    models.Index(
                        fields=["practice_list", "review_state", "sort_key", "patient"], name="entry_in_order"
                    ),
                    models.Index(
                        condition=models.Q(("is_on_list", True)),
                        fields=["review_state", "changed_at"],
                        name="entry_on_list_by_state",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("review_state__in", ["LAPSED", "TO_REVIEW"]),
                                ("reviewed_at__isnull", True),
                                ("reviewed_by__isnull", True),
                            ),
                            models.Q(
                                models.Q(("review_state__in", ["LAPSED", "TO_REVIEW"]), _negated=True),
                                ("reviewed_at__isnull", False),
                                ("reviewed_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="entry_reviewed_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("review_state", "REMOVED"),
                                models.Q(("removal_reason", ""), _negated=True),
                                ("is_patient_told__isnull", False),
                            ),
                            models.Q(
                                models.Q(("review_state", "REMOVED"), _negated=True),
                                ("is_patient_told__isnull", True),
                                ("removal_detail", ""),
                                ("removal_reason", ""),
                            ),
                            _connector="OR",
                        ),
                        name="a_removal_has_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_flagged", True),
                            models.Q(("review_state__in", ["LAPSED", "TO_REVIEW"]), _negated=True),
                            _connector="OR",
                        ),
                        name="only_flagged_people_wait_for_review",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_on_list", True), ("review_state", "LAPSED"), _negated=True),
                        name="lapsed_people_are_off_the_list",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("recheck", ""), ("recheck_at__isnull", True)),
                            models.Q(models.Q(("recheck", ""), _negated=True), ("recheck_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="entry_recheck_and_at",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."review_state", \':\', NEW."review_state") = ANY(\'{ADDED:CONFIRMED,ADDED:REMOVED,ADDED:TO_REVIEW,CONFIRMED:REMOVED,CONFIRMED:TO_REVIEW,LAPSED:CONFIRMED,LAPSED:REMOVED,LAPSED:TO_REVIEW,REMOVED:ADDED,REMOVED:CONFIRMED,REMOVED:TO_REVIEW,TO_REVIEW:ADDED,TO_REVIEW:CONFIRMED,TO_REVIEW:LAPSED,TO_REVIEW:REMOVED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."review_state" IS DISTINCT FROM NEW."review_state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "review_state" from "%" to "%" on table %\', OLD."review_state", NEW."review_state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="4527d22da74b5471806ef21fdda8134d5b051890",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_1ece3",
                            table="cohort_listentry",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="made_for_a_fact_about_them",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE wrong BOOLEAN;",
                            func="\n            EXECUTE 'SELECT EXISTS (SELECT 1 FROM written w LEFT JOIN cohort_listfact f ON f.id = w.because_id'\n                ' WHERE w.because_id IS NOT NULL AND w.patient_id IS DISTINCT FROM f.patient_id)' INTO wrong;\n            IF wrong THEN\n                RAISE EXCEPTION 'The fact behind a standing is not there, or of somebody else'\n                    USING ERRCODE = 'foreign_key_violation';\n            END IF;\n            RETURN NULL;\n        ",
                            hash="0de868f1f8c22f041d1456c84bbbe595ec9008a2",
                            level="STATEMENT",
                            operation="INSERT",
                            pgid="pgtrigger_made_for_a_fact_about_them_a3968",
                            referencing="REFERENCING NEW TABLE AS written ",
                            table="cohort_listentry",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="changed_for_a_fact_about_them",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE wrong BOOLEAN;",
                            func="\n            EXECUTE 'SELECT EXISTS (SELECT 1 FROM written w LEFT JOIN cohort_listfact f ON f.id = w.because_id'\n                ' WHERE w.because_id IS NOT NULL AND w.patient_id IS DISTINCT FROM f.patient_id)' INTO wrong;\n            IF wrong THEN\n                RAISE EXCEPTION 'The fact behind a standing is not there, or of somebody else'\n                    USING ERRCODE = 'foreign_key_violation';\n            END IF;\n            RETURN NULL;\n        ",
                            hash="027bd32184bf5e09d025c1ace3ca3a2b833d0b35",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_changed_for_a_fact_about_them_56dd5",
                            referencing="REFERENCING NEW TABLE AS written ",
                            table="cohort_listentry",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='EXECUTE $history$WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "cohort_listentryevent" ("because_id", "changed_at", "is_flagged", "is_on_list", "is_patient_told", "listed_at", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "practice_list_id", "recheck", "recheck_at", "removal_detail", "removal_reason", "review_state", "reviewed_at", "reviewed_by_id", "strength") SELECT old_values."because_id", old_values."changed_at", old_values."is_flagged", old_values."is_on_list", old_values."is_patient_told", old_values."listed_at", old_values."patient_id", _pgh_attached_context.value, NOW(), \'update\', old_values."patient_id", old_values."practice_list_id", old_values."recheck", old_values."recheck_at", old_values."removal_detail", old_values."removal_reason", old_values."review_state", old_values."reviewed_at", old_values."reviewed_by_id", old_values."strength" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."patient_id") = (new_values."patient_id") WHERE (old_values."because_id" IS DISTINCT FROM (new_values."because_id") OR old_values."changed_at" IS DISTINCT FROM (new_values."changed_at") OR old_values."is_flagged" IS DISTINCT FROM (new_values."is_flagged") OR old_values."is_on_list" IS DISTINCT FROM (new_values."is_on_list") OR old_values."is_patient_told" IS DISTINCT FROM (new_values."is_patient_told") OR old_values."listed_at" IS DISTINCT FROM (new_values."listed_at") OR old_values."patient_id" IS DISTINCT FROM (new_values."patient_id") OR old_values."practice_list_id" IS DISTINCT FROM (new_values."practice_list_id") OR old_values."recheck" IS DISTINCT FROM (new_values."recheck") OR old_values."recheck_at" IS DISTINCT FROM (new_values."recheck_at") OR old_values."removal_detail" IS DISTINCT FROM (new_values."removal_detail") OR old_values."removal_reason" IS DISTINCT FROM (new_values."removal_reason") OR old_values."review_state" IS DISTINCT FROM (new_values."review_state") OR old_values."reviewed_at" IS DISTINCT FROM (new_values."reviewed_at") OR old_values."reviewed_by_id" IS DISTINCT FROM (new_values."reviewed_by_id") OR old_values."strength" IS DISTINCT FROM (new_values."strength")) ) AS old_values, _pgh_attached_context; $history$; RETURN NULL;',
                            hash="5f7156f4c9f31c685421194627db4ea39665dbf1",
                            level="STATEMENT",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_b891d",
                            referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                            table="cohort_listentry",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "cohort_listentryevent" ("because_id", "changed_at", "is_flagged", "is_on_list", "is_patient_told", "listed_at", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "practice_list_id", "recheck", "recheck_at", "removal_detail", "removal_reason", "review_state", "reviewed_at", "reviewed_by_id", "strength") VALUES (OLD."because_id", OLD."changed_at", OLD."is_flagged", OLD."is_on_list", OLD."is_patient_told", OLD."listed_at", OLD."patient_id", _pgh_attach_context(), NOW(), \'delete\', OLD."patient_id", OLD."practice_list_id", OLD."recheck", OLD."recheck_at", OLD."removal_detail", OLD."removal_reason", OLD."review_state", OLD."reviewed_at", OLD."reviewed_by_id", OLD."strength"); RETURN NULL;',
                            hash="6ae794ecef49e48173b0e3178781a0d15c2fcb61",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_e8d04",
                            table="cohort_listentry",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ListEntryEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("is_on_list", models.BooleanField()),
                ("changed_at", models.DateTimeField(help_text="When they last came on or went off the list.")),
                ("is_flagged", models.BooleanField(help_text="A search has ever flagged them.")),
                (
                    "review_state",
                    models.CharField(
                        choices=[
                            ("TO_REVIEW", "To review"),
                            ("CONFIRMED", "Confirmed"),
                            ("REMOVED", "Removed"),
                            ("ADDED", "Added"),
                            ("LAPSED", "Lapsed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "removal_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("CONDITION_NOT_PRESENT", "They do not have the condition"),
                            ("CONDITION_RESOLVED", "They had the condition but no longer do"),
                            ("LOW_RISK", "They have the condition but are not at high risk"),
                            ("MOVED_AWAY", "They have moved away or left the practice"),
                            ("DIED", "They have died"),
                            ("ADDED_BY_MISTAKE", "They were added by mistake"),
                            ("OTHER", "Another reason"),
                        ],
                        max_length=30,
                    ),
                ),
                ("removal_detail", models.CharField(blank=True, max_length=300)),
                (
                    "is_patient_told",
                    models.BooleanField(blank=True, help_text="Has the person been told of the removal?", null=True),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        serialize=False,
                        to="cohort.patient",
                    ),
                ),
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
                    "reviewed_by",
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
                    "because",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cohort.listfact",
                    ),
                ),
                (
                    "practice_list",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="cohort.practicelist",
                    ),
                ),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="cohort.listentry",
                    ),
                ),
                (
                    "listed_at",
                    models.DateTimeField(blank=True, help_text="When they came onto this practice's list.", null=True),
                ),
                (
                    "recheck",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("REASON_NEW", "The search has found another reason"),
                            ("REASON_GONE", "The search no longer finds one of the reasons"),
                            ("MOVED_HERE", "They have registered here since another practice decided"),
                            ("DETAILS_CHANGED", "Whether or how to contact them has changed"),
                            ("HOSPITAL_DISAGREES", "A hospital has asked for the opposite"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                ("recheck_at", models.DateTimeField(blank=True, null=True)),
                (
                    "strength",
                    models.CharField(
                        blank=True,
                        choices=[("CLEAR", "Clear"), ("LIKELY", "Likely"), ("DOUBTFUL", "Doubtful")],
                        db_default="",
                        default="",
                        help_text="How strong the search's evidence is; empty where it finds nothing.",
                        max_length=8,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HospitalRow",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "number",
                    models.PositiveIntegerField(
                        help_text="The line of the file, or the place in what the API was sent."
                    ),
                ),
                ("request", models.CharField(choices=[("ADD", "Add"), ("REMOVE", "Remove")], max_length=6)),
                ("nhs_number", models.CharField(blank=True, max_length=10)),
                ("given_name", models.CharField(max_length=100)),
                ("family_name", models.CharField(max_length=100)),
                ("birth_date", models.DateField()),
                ("postcode", models.CharField(blank=True, max_length=8)),
                ("reason", models.CharField(max_length=300)),
                ("disease_group", models.CharField(blank=True, max_length=100)),
                (
                    "medicine",
                    models.CharField(blank=True, help_text="One that only the hospital prescribes.", max_length=200),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("MATCHED", "MATCHED"),
                            ("DOUBTFUL", "DOUBTFUL"),
                            ("NOT_FOUND", "NOT_FOUND"),
                            ("TAKEN", "TAKEN"),
                            ("SAID_ALREADY", "SAID_ALREADY"),
                            ("NOT_THEM", "NOT_THEM"),
                            ("DIED", "DIED"),
                        ],
                        max_length=12,
                    ),
                ),
                ("candidates", models.JSONField(blank=True, default=list)),
                ("matched_number", models.CharField(blank=True, max_length=10)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "fact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hospital_rows",
                        to="cohort.listfact",
                    ),
                ),
                (
                    "hospital_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="cohort.hospitallist"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hospital_rows",
                        to="cohort.patient",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["hospital_list", "state", "number"], name="hospital_row_by_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("hospital_list", "number"), name="one_row_per_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("fact__isnull", False),
                                ("patient__isnull", False),
                                ("state__in", ["TAKEN", "SAID_ALREADY"]),
                            ),
                            models.Q(
                                models.Q(("state__in", ["TAKEN", "SAID_ALREADY"]), _negated=True),
                                ("fact__isnull", True),
                                ("patient__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="a_row_taken_has_a_fact",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True)),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="row_decided_at_and_by",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{DOUBTFUL:DIED,DOUBTFUL:NOT_FOUND,DOUBTFUL:NOT_THEM,DOUBTFUL:SAID_ALREADY,DOUBTFUL:TAKEN,MATCHED:DIED,MATCHED:NOT_FOUND,MATCHED:SAID_ALREADY,MATCHED:TAKEN}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="715e16316613f7983d28236af29de780b984ab56",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_50b37",
                            table="cohort_hospitalrow",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="taken_rows_stay",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition='WHEN (OLD."fact_id" IS NOT NULL)',
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="f5a876aba92cbe4bae96759d4819662abaa47f86",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_taken_rows_stay_30e01",
                            table="cohort_hospitalrow",
                            when="BEFORE",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Addition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "tier",
                    models.CharField(choices=[("HIGH", "High risk"), ("VULNERABLE", "Vulnerable")], max_length=10),
                ),
                ("disease_group", models.CharField(blank=True, max_length=100)),
                ("evidence", models.CharField(blank=True, max_length=300)),
                ("evidence_date", models.DateField(blank=True, null=True)),
                (
                    "fact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="addition", to="cohort.listfact"
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="cee63acb2ca32dac36aafdb905fdf81fe4b5f870",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_1295e",
                            table="cohort_addition",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RemovalTold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("told_by", models.CharField(help_text="The clinician, by name.", max_length=100)),
                ("told_date", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "fact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="told", to="cohort.listfact"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "removals told",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("told_by", ""), _negated=True), name="removal_told_by_somebody"
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="a956eb9f57789709c5c855d7e8e91faa82e91af5",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_40345",
                            table="cohort_removaltold",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskListFact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="risk_list_fact", to="cohort.listfact"
                    ),
                ),
                (
                    "risk_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="facts", to="cohort.risklist"
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="d144dde1ff5c8f1d8b7a8645d5a2f62facc3b5b7",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_7c5af",
                            table="cohort_risklistfact",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
    ]

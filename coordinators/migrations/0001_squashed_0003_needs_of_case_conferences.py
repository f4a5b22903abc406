"""Check-ins, needs, referrals and case conferences."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("coordinators", "0001_initial"),
        ("coordinators", "0002_case_conferences"),
        ("coordinators", "0003_needs_of_case_conferences"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0001_squashed_0006_users_and_organisations_stay"),
        ("cohort", "0001_squashed_0027_facts_are_checked_together"),
        ("pghistory", "0007_auto_20250421_0444"),
        ("places", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "coordinator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="accounts.membership",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assignments", to="cohort.patient"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["coordinator"],
                        name="assignment_caseload",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("patient",),
                        name="one_coordinator_at_a_time",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_assignmentevent" ("coordinator_id", "ended_at", "id", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_at") VALUES (NEW."coordinator_id", NEW."ended_at", NEW."id", NEW."patient_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."started_at"); RETURN NULL;',
                            hash="4921e3da82ed7058ae2aa3358f10629e1816950c",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_dc36e",
                            table="coordinators_assignment",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_assignmentevent" ("coordinator_id", "ended_at", "id", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_at") VALUES (NEW."coordinator_id", NEW."ended_at", NEW."id", NEW."patient_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."started_at"); RETURN NULL;',
                            hash="1a9266ca119ab474ff355b8708fcdfc860f2948a",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_6079b",
                            table="coordinators_assignment",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssignmentEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "coordinator",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
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
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="coordinators.assignment",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("COMPLETED", "Spoke to the person"),
                            ("NO_ANSWER", "No answer"),
                            ("VOICEMAIL", "Left a voicemail"),
                            ("WRONG_NUMBER", "Wrong number"),
                            ("CALL_BACK", "Asked to be called back"),
                            ("REFUSED", "Does not want check-ins"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "is_safe_to_talk",
                    models.BooleanField(help_text="None where it was not asked or nobody answered.", null=True),
                ),
                ("note", models.TextField(blank=True)),
                ("by", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="accounts.membership")),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="check_ins", to="cohort.patient"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["patient", "-at"], name="check_in_patient_newest")],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="7476a07cd7ee31800830e55ace2810280d1d6c6d",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_0ff19",
                            table="coordinators_checkin",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Conference",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("place", models.CharField(help_text="A room, or how to join by phone or video.", max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PLANNED", "Planned"),
                            ("HELD", "Held"),
                            ("CLOSED", "Closed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("planned_at", models.DateTimeField()),
                (
                    "held_at",
                    models.DateTimeField(blank=True, help_text="When it was said to have been held.", null=True),
                ),
                ("ended_at", models.DateTimeField(blank=True, help_text="When it was closed or cancelled.", null=True)),
                ("cancel_reason", models.CharField(blank=True, max_length=300)),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "held_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "local_authority",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conferences",
                        to="places.localauthority",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.membership"
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conferences",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["practice", "starts_at"], name="conference_by_practice"),
                    models.Index(fields=["local_authority", "starts_at"], name="conference_by_authority"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("held_at__isnull", False),
                                ("held_by__isnull", False),
                                ("state__in", ["HELD", "CLOSED"]),
                            ),
                            models.Q(
                                ("held_at__isnull", True),
                                ("held_by__isnull", True),
                                ("state__in", ["PLANNED", "CANCELLED"]),
                            ),
                            _connector="OR",
                        ),
                        name="conference_held_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False),
                                ("ended_by__isnull", False),
                                ("state__in", ["CLOSED", "CANCELLED"]),
                            ),
                            models.Q(
                                ("ended_at__isnull", True),
                                ("ended_by__isnull", True),
                                ("state__in", ["PLANNED", "HELD"]),
                            ),
                            _connector="OR",
                        ),
                        name="conference_ended_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "CANCELLED"), models.Q(("cancel_reason", ""), _negated=True)),
                            models.Q(models.Q(("state", "CANCELLED"), _negated=True), ("cancel_reason", "")),
                            _connector="OR",
                        ),
                        name="a_cancelled_conference_has_a_reason",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{HELD:CLOSED,PLANNED:CANCELLED,PLANNED:HELD}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="ea22a6876d702de1c53a802cf0326d68165b63ed",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_60e45",
                            table="coordinators_conference",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="nothing_left_open",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (NEW.\"state\" = 'CLOSED' AND OLD.\"state\" = 'HELD')",
                            func="\n        IF EXISTS (\n            SELECT 1 FROM coordinators_agreedaction action\n            JOIN coordinators_agendaitem item ON item.id = action.item_id\n            WHERE item.conference_id = NEW.id AND action.state = 'OPEN'\n        ) THEN\n            RAISE EXCEPTION 'A case conference with open actions is not closed' USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ",
                            hash="4a711a72eead2b24447aba553b2a96298854f2a0",
                            operation="UPDATE",
                            pgid="pgtrigger_nothing_left_open_3dee9",
                            table="coordinators_conference",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_conferenceevent" ("cancel_reason", "ended_at", "ended_by_id", "held_at", "held_by_id", "id", "local_authority_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "planned_at", "planned_by_id", "practice_id", "starts_at", "state", "version") VALUES (NEW."cancel_reason", NEW."ended_at", NEW."ended_by_id", NEW."held_at", NEW."held_by_id", NEW."id", NEW."local_authority_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."place", NEW."planned_at", NEW."planned_by_id", NEW."practice_id", NEW."starts_at", NEW."state", NEW."version"); RETURN NULL;',
                            hash="9508f54d871c0656cc2902be6f8492bbfebcbf8d",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_1d3af",
                            table="coordinators_conference",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_conferenceevent" ("cancel_reason", "ended_at", "ended_by_id", "held_at", "held_by_id", "id", "local_authority_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "planned_at", "planned_by_id", "practice_id", "starts_at", "state", "version") VALUES (NEW."cancel_reason", NEW."ended_at", NEW."ended_by_id", NEW."held_at", NEW."held_by_id", NEW."id", NEW."local_authority_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."place", NEW."planned_at", NEW."planned_by_id", NEW."practice_id", NEW."starts_at", NEW."state", NEW."version"); RETURN NULL;',
                            hash="74ee37c7f951f5a182036845a08fea5ac8ae879d",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_aceac",
                            table="coordinators_conference",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConferenceEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("place", models.CharField(help_text="A room, or how to join by phone or video.", max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("PLANNED", "Planned"),
                            ("HELD", "Held"),
                            ("CLOSED", "Closed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("planned_at", models.DateTimeField()),
                (
                    "held_at",
                    models.DateTimeField(blank=True, help_text="When it was said to have been held.", null=True),
                ),
                ("ended_at", models.DateTimeField(blank=True, help_text="When it was closed or cancelled.", null=True)),
                ("cancel_reason", models.CharField(blank=True, max_length=300)),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "held_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "local_authority",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="places.localauthority",
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
                        to="coordinators.conference",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
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
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Participant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "side",
                    models.CharField(choices=[("PRACTICE", "GP practice"), ("COUNCIL", "Council")], max_length=10),
                ),
                ("name", models.CharField(max_length=200)),
                ("job", models.CharField(blank=True, max_length=100)),
                ("came", models.BooleanField(null=True)),
                (
                    "conference",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participants",
                        to="coordinators.conference",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conference", "side", "name", "job"), name="a_participant_is_named_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("membership__isnull", False)),
                        fields=("conference", "membership"),
                        name="a_user_takes_part_once",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_participantevent" ("came", "conference_id", "id", "job", "membership_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "side") VALUES (NEW."came", NEW."conference_id", NEW."id", NEW."job", NEW."membership_id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."side"); RETURN NULL;',
                            hash="d5dd81f40374a1e068153c01c8b7664e11fc1021",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_272a1",
                            table="coordinators_participant",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_participantevent" ("came", "conference_id", "id", "job", "membership_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "side") VALUES (NEW."came", NEW."conference_id", NEW."id", NEW."job", NEW."membership_id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."side"); RETURN NULL;',
                            hash="3beaf7b88fe39b51ce9130308e93707fad3556d2",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_1afc1",
                            table="coordinators_participant",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="delete_delete",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_participantevent" ("came", "conference_id", "id", "job", "membership_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "side") VALUES (OLD."came", OLD."conference_id", OLD."id", OLD."job", OLD."membership_id", OLD."name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."side"); RETURN NULL;',
                            hash="2895251684f2f015ab3b2e2aa3a4208f32ee8e9b",
                            operation="DELETE",
                            pgid="pgtrigger_delete_delete_b36ef",
                            table="coordinators_participant",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ParticipantEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "side",
                    models.CharField(choices=[("PRACTICE", "GP practice"), ("COUNCIL", "Council")], max_length=10),
                ),
                ("name", models.CharField(max_length=200)),
                ("job", models.CharField(blank=True, max_length=100)),
                ("came", models.BooleanField(null=True)),
                (
                    "conference",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="coordinators.conference",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
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
                        to="coordinators.participant",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AgendaItem",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("OPEN_NEED", "Waits for help from the council"),
                                ("UNMET_NEED", "The council could not help with something they need"),
                                ("NOT_REACHED", "The last three tries did not reach them"),
                                ("NO_PHONE", "No phone number known"),
                                ("AGE", "Aged 80 or over"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "needs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("FOOD", "Food"),
                                ("MEDICINES", "Collecting or delivering medicines"),
                                ("BASIC_CARE", "Basic care, someone to contact them"),
                                ("SUPERMARKET", "Priority supermarket delivery"),
                                ("LONELINESS", "Loneliness or low mood"),
                                ("MONEY", "Money or debt"),
                                ("HOUSING", "Housing"),
                                ("TRANSPORT", "Transport"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "needs_detail",
                    models.CharField(blank=True, help_text="Only what both sides must know.", max_length=1000),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.membership"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="agenda_items", to="cohort.patient"
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "conference",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="coordinators.conference"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("conference", "patient"), name="once_on_an_agenda"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("removed_at__isnull", True), ("removed_by__isnull", True)),
                            models.Q(("removed_at__isnull", False), ("removed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="agenda_item_removed_at_and_by",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_agendaitemevent" ("added_at", "added_by_id", "conference_id", "id", "needs", "needs_detail", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reasons", "removed_at", "removed_by_id", "version") VALUES (NEW."added_at", NEW."added_by_id", NEW."conference_id", NEW."id", NEW."needs", NEW."needs_detail", NEW."patient_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reasons", NEW."removed_at", NEW."removed_by_id", NEW."version"); RETURN NULL;',
                            hash="dea047f115a171e558c3c36d225bcb290fcb53a9",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_0836e",
                            table="coordinators_agendaitem",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_agendaitemevent" ("added_at", "added_by_id", "conference_id", "id", "needs", "needs_detail", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reasons", "removed_at", "removed_by_id", "version") VALUES (NEW."added_at", NEW."added_by_id", NEW."conference_id", NEW."id", NEW."needs", NEW."needs_detail", NEW."patient_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reasons", NEW."removed_at", NEW."removed_by_id", NEW."version"); RETURN NULL;',
                            hash="ea5906b69f876dfaba4e25bc94545e4521cdfa21",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_f22cb",
                            table="coordinators_agendaitem",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Need",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("FOOD", "Food"),
                            ("MEDICINES", "Collecting or delivering medicines"),
                            ("BASIC_CARE", "Basic care, someone to contact them"),
                            ("SUPERMARKET", "Priority supermarket delivery"),
                            ("LONELINESS", "Loneliness or low mood"),
                            ("MONEY", "Money or debt"),
                            ("HOUSING", "Housing"),
                            ("TRANSPORT", "Transport"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "detail",
                    models.CharField(blank=True, help_text="Only what the council must know to help.", max_length=300),
                ),
                (
                    "check_in",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="needs",
                        to="coordinators.checkin",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="needs", to="cohort.patient"
                    ),
                ),
                (
                    "agenda_item",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referred_needs",
                        to="coordinators.agendaitem",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("check_in", "kind"), name="one_need_of_a_kind_per_check_in"),
                    models.UniqueConstraint(fields=("agenda_item", "kind"), name="one_need_of_a_kind_per_agenda_item"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agenda_item__isnull", True), ("check_in__isnull", False)),
                            models.Q(("agenda_item__isnull", False), ("check_in__isnull", True)),
                            _connector="OR",
                        ),
                        name="a_need_is_found_somewhere",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="b4a4ee80d9d8eacb56ff516d00cb3d9a5b6c6e3b",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_83b30",
                            table="coordinators_need",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Waiting"),
                            ("ACCEPTED", "Accepted"),
                            ("CLOSED", "Closed"),
                            ("REJECTED", "Rejected"),
                        ],
                        max_length=10,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "downloaded_at",
                    models.DateTimeField(blank=True, help_text="When council staff first downloaded it.", null=True),
                ),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, help_text="When it was closed or rejected.", null=True),
                ),
                ("what_was_done", models.CharField(blank=True, max_length=300)),
                (
                    "rejection_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("MOVED_AWAY", "Has moved away"),
                            ("NOT_OURS", "Does not live in our area"),
                            ("COULD_NOT_REACH", "Could not reach them"),
                            ("DECLINED", "Does not want help"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "local_authority",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="places.localauthority"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.membership"
                    ),
                ),
                (
                    "need",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="referral", to="coordinators.need"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="referrals", to="cohort.patient"
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["local_authority", "state", "made_at"], name="referral_by_authority")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_at__isnull", False),
                                ("settled_by__isnull", False),
                                ("state__in", ["CLOSED", "REJECTED"]),
                            ),
                            models.Q(
                                ("settled_at__isnull", True),
                                ("settled_by__isnull", True),
                                ("state__in", ["WAITING", "ACCEPTED"]),
                            ),
                            _connector="OR",
                        ),
                        name="referral_settled_at_and_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "REJECTED"), models.Q(("rejection_reason", ""), _negated=True)),
                            models.Q(models.Q(("state", "REJECTED"), _negated=True), ("rejection_reason", "")),
                            _connector="OR",
                        ),
                        name="a_rejection_has_a_reason",
                    ),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{ACCEPTED:CLOSED,ACCEPTED:REJECTED,WAITING:ACCEPTED,WAITING:REJECTED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="aa36b20b83860ef3cd25b7c5cde139b31b3cb327",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_6e7bf",
                            table="coordinators_referral",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_referralevent" ("downloaded_at", "id", "local_authority_id", "made_at", "made_by_id", "need_id", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rejection_reason", "settled_at", "settled_by_id", "state", "what_was_done") VALUES (NEW."downloaded_at", NEW."id", NEW."local_authority_id", NEW."made_at", NEW."made_by_id", NEW."need_id", NEW."patient_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rejection_reason", NEW."settled_at", NEW."settled_by_id", NEW."state", NEW."what_was_done"); RETURN NULL;',
                            hash="0560ce5045c69f17b72acac7f43fdb8cbd2908f1",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_4ba29",
                            table="coordinators_referral",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_referralevent" ("downloaded_at", "id", "local_authority_id", "made_at", "made_by_id", "need_id", "patient_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rejection_reason", "settled_at", "settled_by_id", "state", "what_was_done") VALUES (NEW."downloaded_at", NEW."id", NEW."local_authority_id", NEW."made_at", NEW."made_by_id", NEW."need_id", NEW."patient_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rejection_reason", NEW."settled_at", NEW."settled_by_id", NEW."state", NEW."what_was_done"); RETURN NULL;',
                            hash="31c4b380d49ab485b83e31bf2fb31a1250f38042",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_f0171",
                            table="coordinators_referral",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReferralEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Waiting"),
                            ("ACCEPTED", "Accepted"),
                            ("CLOSED", "Closed"),
                            ("REJECTED", "Rejected"),
                        ],
                        max_length=10,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "downloaded_at",
                    models.DateTimeField(blank=True, help_text="When council staff first downloaded it.", null=True),
                ),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, help_text="When it was closed or rejected.", null=True),
                ),
                ("what_was_done", models.CharField(blank=True, max_length=300)),
                (
                    "rejection_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("MOVED_AWAY", "Has moved away"),
                            ("NOT_OURS", "Does not live in our area"),
                            ("COULD_NOT_REACH", "Could not reach them"),
                            ("DECLINED", "Does not want help"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "local_authority",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="places.localauthority",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "need",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="coordinators.need",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
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
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="coordinators.referral",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AgendaItemEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("OPEN_NEED", "Waits for help from the council"),
                                ("UNMET_NEED", "The council could not help with something they need"),
                                ("NOT_REACHED", "The last three tries did not reach them"),
                                ("NO_PHONE", "No phone number known"),
                                ("AGE", "Aged 80 or over"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "needs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("FOOD", "Food"),
                                ("MEDICINES", "Collecting or delivering medicines"),
                                ("BASIC_CARE", "Basic care, someone to contact them"),
                                ("SUPERMARKET", "Priority supermarket delivery"),
                                ("LONELINESS", "Loneliness or low mood"),
                                ("MONEY", "Money or debt"),
                                ("HOUSING", "Housing"),
                                ("TRANSPORT", "Transport"),
                            ],
                            max_length=20,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "needs_detail",
                    models.CharField(blank=True, help_text="Only what both sides must know.", max_length=1000),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "added_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
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
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="coordinators.agendaitem",
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "conference",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="coordinators.conference",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConferenceNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "side",
                    models.CharField(choices=[("PRACTICE", "GP practice"), ("COUNCIL", "Council")], max_length=10),
                ),
                ("text", models.TextField(blank=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("written_at", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="coordinators.agendaitem"
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.membership"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("item", "side"), name="one_note_of_a_side")],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_conferencenoteevent" ("id", "item_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "side", "text", "version", "written_at", "written_by_id") VALUES (NEW."id", NEW."item_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."side", NEW."text", NEW."version", NEW."written_at", NEW."written_by_id"); RETURN NULL;',
                            hash="160e86074607f3c6b7437210a6057bedb3fa6c90",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_0428d",
                            table="coordinators_conferencenote",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_conferencenoteevent" ("id", "item_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "side", "text", "version", "written_at", "written_by_id") VALUES (NEW."id", NEW."item_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."side", NEW."text", NEW."version", NEW."written_at", NEW."written_by_id"); RETURN NULL;',
                            hash="2ce85b3abcf8931565f1bd50f94796ceb51d1ae9",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_5636b",
                            table="coordinators_conferencenote",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConferenceNoteEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                (
                    "side",
                    models.CharField(choices=[("PRACTICE", "GP practice"), ("COUNCIL", "Council")], max_length=10),
                ),
                ("text", models.TextField(blank=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("written_at", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="coordinators.agendaitem",
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
                        to="coordinators.conferencenote",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AgreedAction",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("what", models.CharField(max_length=300)),
                ("due_date", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("DONE", "Done"), ("NOT_DONE", "Will not be done")], max_length=10
                    ),
                ),
                ("agreed_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(blank=True, help_text="What was done, or why it will not be.", max_length=300),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "agreed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.membership"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="coordinators.agendaitem",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="coordinators.participant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "OPEN")), fields=["due_date"], name="open_action_by_due_date"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("outcome", ""),
                                ("settled_at__isnull", True),
                                ("settled_by__isnull", True),
                                ("state", "OPEN"),
                            ),
                            models.Q(
                                models.Q(("state", "OPEN"), _negated=True),
                                models.Q(("outcome", ""), _negated=True),
                                ("settled_at__isnull", False),
                                ("settled_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="action_settled_at_by_and_how",
                    )
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="legal_moves",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            declare="DECLARE _is_valid_transition BOOLEAN;",
                            func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{OPEN:DONE,OPEN:NOT_DONE}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                            hash="8a0bf9ab78829c008c02321f2279305b9b6d861b",
                            operation="UPDATE",
                            pgid="pgtrigger_legal_moves_c246a",
                            table="coordinators_agreedaction",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="agreed_at_a_meeting",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="\n        PERFORM 1 FROM coordinators_conference conference\n        JOIN coordinators_agendaitem item ON item.conference_id = conference.id\n        JOIN coordinators_participant owner ON owner.conference_id = conference.id\n        WHERE item.id = NEW.item_id AND owner.id = NEW.owner_id AND conference.state = 'HELD'\n        FOR SHARE OF conference;\n        IF NOT FOUND THEN\n            RAISE EXCEPTION 'Actions are agreed at a meeting, by those who take part' USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ",
                            hash="98d4d98b385252118c7b0f565961b73276757b32",
                            operation="INSERT",
                            pgid="pgtrigger_agreed_at_a_meeting_e8521",
                            table="coordinators_agreedaction",
                            when="BEFORE",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="insert_insert",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func='INSERT INTO "coordinators_agreedactionevent" ("agreed_at", "agreed_by_id", "due_date", "id", "item_id", "outcome", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "settled_at", "settled_by_id", "state", "version", "what") VALUES (NEW."agreed_at", NEW."agreed_by_id", NEW."due_date", NEW."id", NEW."item_id", NEW."outcome", NEW."owner_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."settled_at", NEW."settled_by_id", NEW."state", NEW."version", NEW."what"); RETURN NULL;',
                            hash="e6211173dddc59683f7cd2b0ca8bc76d273e9f28",
                            operation="INSERT",
                            pgid="pgtrigger_insert_insert_34454",
                            table="coordinators_agreedaction",
                            when="AFTER",
                        ),
                    ),
                    pgtrigger.compiler.Trigger(
                        name="update_update",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                            func='INSERT INTO "coordinators_agreedactionevent" ("agreed_at", "agreed_by_id", "due_date", "id", "item_id", "outcome", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "settled_at", "settled_by_id", "state", "version", "what") VALUES (NEW."agreed_at", NEW."agreed_by_id", NEW."due_date", NEW."id", NEW."item_id", NEW."outcome", NEW."owner_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."settled_at", NEW."settled_by_id", NEW."state", NEW."version", NEW."what"); RETURN NULL;',
                            hash="1acf1d46263dc6ccd80d632eed23b160361a46bd",
                            operation="UPDATE",
                            pgid="pgtrigger_update_update_676a1",
                            table="coordinators_agreedaction",
                            when="AFTER",
                        ),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AgreedActionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, serialize=False)),
                ("what", models.CharField(max_length=300)),
                ("due_date", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("DONE", "Done"), ("NOT_DONE", "Will not be done")], max_length=10
                    ),
                ),
                ("agreed_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(blank=True, help_text="What was done, or why it will not be.", max_length=300),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "agreed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="coordinators.agendaitem",
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
                        to="coordinators.agreedaction",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="accounts.membership",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="coordinators.participant",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ActionProgress",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("text", models.CharField(max_length=300)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.membership"
                    ),
                ),
                (
                    "action",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="progress",
                        to="coordinators.agreedaction",
                    ),
                ),
            ],
            options={
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="6ba1afebb11dad21b94a816b82ee8f0a1c7f6b93",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_91274",
                            table="coordinators_actionprogress",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
    ]

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("letters", "0007_holds_of_contact_problems"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="templateversion",
            name="append_only",
        ),
        migrations.AddField(
            model_name="templateversion",
            name="drafted_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        # Approvals before this had no draft of their own.
        migrations.RunSQL(
            "UPDATE letters_templateversion SET drafted_at = approved_at", reverse_sql=migrations.RunSQL.noop
        ),
        migrations.AddField(
            model_name="templateversion",
            name="drafted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="templateversion",
            name="withdrawn_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="templateversion",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="templateversion",
            name="approved_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="templateversion",
            name="body",
            field=models.TextField(verbose_name="words"),
        ),
        migrations.AlterField(
            model_name="templateversion",
            name="subject",
            field=models.CharField(
                blank=True, help_text="The letter's heading; texts have none.", max_length=200, verbose_name="heading"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="templateversion",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="templateversion",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="templateversion",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="templateversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                    models.Q(
                        ("approved_at__isnull", True), ("withdrawn_at__isnull", False), ("withdrawn_by__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="templateversion_withdrawn_at_and_by",
            ),
        ),
        migrations.AddField(
            model_name="translation",
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
            model_name="translation",
            name="drafted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="translation",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="translations", to="letters.templateversion"
            ),
        ),
        migrations.AddField(
            model_name="translation",
            name="withdrawn_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="translation",
            index=models.Index(fields=["version", "language"], name="translation_by_language"),
        ),
        migrations.AddConstraint(
            model_name="translation",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="translation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                    models.Q(
                        ("approved_at__isnull", True), ("withdrawn_at__isnull", False), ("withdrawn_by__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="translation_withdrawn_at_and_by",
            ),
        ),
        migrations.AddConstraint(
            model_name="translation",
            constraint=models.CheckConstraint(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="translation",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="translation",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="translation",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
    ]

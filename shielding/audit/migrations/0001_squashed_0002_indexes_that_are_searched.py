"""The log of who read about whom."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("audit", "0001_initial"), ("audit", "0002_indexes_that_are_searched")]

    initial = True

    dependencies = [
        ("accounts", "0001_squashed_0006_users_and_organisations_stay"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("role", models.CharField(max_length=20)),
                ("what", models.CharField(max_length=100)),
                ("patient_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                (
                    "organisation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["patient_ids"], name="readlog_patient_ids"),
                    models.Index(fields=["user", "at"], name="readlog_user_at"),
                ],
                "triggers": [
                    pgtrigger.compiler.Trigger(
                        name="append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="bc2e89f60dc47c1d75ffd6ca3d074a0ff0640295",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_append_only_63d70",
                            table="audit_readlog",
                            when="BEFORE",
                        ),
                    )
                ],
            },
        ),
    ]

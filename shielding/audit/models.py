"""The read log: who looked at whom, when, and in which page, list, search or download."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class ReadLog(models.Model):
    """One page, list, search or download of people's data. Append-only, in the database too.

    `patient_ids` are the opaque ids of everybody shown. `what` names the view, never a person.
    """

    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False)
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT)
    role = models.CharField(max_length=20)
    what = models.CharField(max_length=100)
    patient_ids = ArrayField(models.UUIDField())

    class Meta:
        indexes = [
            GinIndex(fields=["patient_ids"], name="readlog_patient_ids"),
            models.Index(fields=["user", "at"], name="readlog_user_at"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.what} by {self.user_id} at {self.at:%Y-%m-%d %H:%M}"

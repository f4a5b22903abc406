"""Lists of people from population risk models: which was loaded, and the facts it brought."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from cohort.models.criteria import APPEND_ONLY
from cohort.models.lists import ListFact


class RiskList(models.Model):
    """One list of one model. A later list of the same model takes its place: who is no longer on it is withdrawn."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.CharField(max_length=100)
    version = models.CharField(max_length=50)
    as_at = models.DateField(help_text="The latest date in the list.")
    threshold = models.FloatField(null=True, blank=True, help_text="The lowest score that counts, of a list of scores.")
    sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="What loading it did: people and lines, by what became of them.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "sha256", "threshold"], nulls_distinct=False, name="a_risk_list_is_loaded_once"
            ),
            models.CheckConstraint(condition=~Q(model="") & ~Q(version=""), name="a_risk_list_names_its_model"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.model} {self.version} of {self.as_at}"


class RiskListFact(models.Model):
    """The fact that a list added somebody by. People who were on an earlier list too keep the fact of that one."""

    risk_list = models.ForeignKey(RiskList, models.PROTECT, related_name="facts")
    fact = models.OneToOneField(ListFact, models.PROTECT, related_name="risk_list_fact")

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return str(self.fact_id)

"""Places: local authorities and their successors, resilience forums, and postcodes.

Boundaries change, so nothing joins on a name: an authority is its GSS code, with dates, and a
table of successors says who took over what and when.
"""

from django.db import models
from django.db.models import F, Q


class ResilienceForum(models.Model):
    """A local resilience forum (LRF); `code` is its ONS code such as E48000017, or a slug without one."""

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class LocalAuthority(models.Model):
    """A local authority in England, Wales, Scotland or Northern Ireland, current or past."""

    class Tier(models.TextChoices):
        COUNTY = "COUNTY", "County council"
        DISTRICT = "DISTRICT", "District council"
        SINGLE_TIER = "SINGLE_TIER", "Single-tier council"

    gss_code = models.CharField("GSS code", max_length=9, primary_key=True)
    name = models.CharField(max_length=200)
    tier = models.CharField(max_length=20, choices=Tier, blank=True)
    county = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="districts")
    resilience_forum = models.ForeignKey(ResilienceForum, models.PROTECT, null=True, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "local authorities"

    def __str__(self) -> str:
        return self.name


class Successor(models.Model):
    """`successor` took over (all or part of) `predecessor` on `on_date`."""

    predecessor = models.ForeignKey(LocalAuthority, models.PROTECT, related_name="successions")
    successor = models.ForeignKey(LocalAuthority, models.PROTECT, related_name="inheritances")
    on_date = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["predecessor", "successor"], name="one_row_per_succession"),
            models.CheckConstraint(condition=~Q(predecessor=F("successor")), name="nobody_succeeds_themselves"),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_id} to {self.successor_id}"


class Postcode(models.Model):
    """A postcode in its usual spelling (`SM1 1AA`) and the authority it lay in when the file was made."""

    postcode = models.CharField(max_length=8, primary_key=True)
    local_authority = models.ForeignKey(LocalAuthority, models.PROTECT)
    introduced_date = models.DateField(null=True, blank=True)
    terminated_date = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.postcode

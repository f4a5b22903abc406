"""Whom a campaign is meant for, among those who may be contacted at all."""

from django.db.models import Exists, OuterRef, Q

from coordinators.models import Assignment
from letters.models import Campaign

#: Names each person's care coordinator.
COORDINATOR = "coordinator"


def meant_for(campaign: Campaign) -> Q:
    """Returns, over `Patient`, whom a campaign is meant for: those with a coordinator, or everybody."""
    if campaign.slug == COORDINATOR:
        return Q(Exists(Assignment.objects.filter(patient=OuterRef("pk"), ended_at__isnull=True)))
    return Q()

"""Reads of population risk models' lists: what was loaded, in counts."""

from cohort.models import RiskList


def risk_lists() -> list[RiskList]:
    """Returns every list, the latest loaded first."""
    return list(RiskList.objects.select_related("loaded_by").order_by("-loaded_at"))

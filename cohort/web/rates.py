"""How many people practices remove and add: a practice's own beside its peers', and the outliers for the centre."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cohort import policies
from cohort.funnel import FEWEST_PEOPLE, OUTLIERS, Verdict
from cohort.queries import peers
from shielding.accounts.http import MemberRequest

PRACTICES_PER_PAGE = 50
_WATCHED = OUTLIERS | {Verdict.HIGH, Verdict.LOW}


@never_cache
@require_GET
def own(request: MemberRequest) -> HttpResponse:
    """The practice's own rates beside those of its care system and of England. Counts only."""
    by = policies.check_can_see_lists(request.membership)
    among = peers.peers(timezone.now())
    return render(
        request,
        "cohort/oversight/rates.html",
        {"rates": peers.own_rates(by, among), "among": among, "fewest": FEWEST_PEOPLE, "scale": _scale},
    )


def _scale(row: peers.Compared) -> float:
    """Returns the rate at the right end of a bar: the greatest of what is shown, and a little more."""
    shown = [rate for rate in (row.own, row.ics, row.england, row.expected and row.expected[1]) if rate]
    return 1.1 * max(shown, default=1.0)


@never_cache
@require_GET
def outliers(request: MemberRequest) -> HttpResponse:
    """Practices whose rates differ from the others' by more than chance, the farthest first; `?rate=` and `?show=`."""
    policies.check_can_oversee(request.membership)
    among = peers.count_peers(timezone.now())
    rate = peers.Rate.ADDED if request.GET.get("rate") == "added" else peers.Rate.REMOVED
    is_wide = request.GET.get("show") == "all"
    found = peers.outliers(rate, among, verdicts=_WATCHED if is_wide else OUTLIERS)
    page: Any = Paginator(found, PRACTICES_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "cohort/oversight/outliers.html",
        {
            "page": page,
            "rate": rate,
            "is_wide": is_wide,
            "among": among,
            "funnel": among.funnels[rate],
            "fewest": FEWEST_PEOPLE,
        },
    )

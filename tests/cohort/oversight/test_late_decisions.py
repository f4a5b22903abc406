"""What is decided about people whom practices do not review in time."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.urls import reverse

from cohort.actions.late import DecisionError, decide_about_late
from cohort.late import LatePolicy
from cohort.models import LateDecision
from cohort.queries.late import decisions
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import NOW, MembershipFactory, SearchRunFactory
from tests.cohort.oversight.scene import TODAY, lead, on, operator, practice_list, put
from tests.cohort.validation.pages import read

pytestmark = pytest.mark.django_db


def decide(run: Any, **options: Any) -> LateDecision:
    chosen = {"policy": LatePolicy.CONTACT, "from_date": on(3), "reason": "No time", "at": NOW}
    return decide_about_late(run_id=run.pk, **{"by": operator(), **chosen, **options})


@pytest.mark.parametrize(
    ("due", "from_date", "reason", "field"),
    [
        (2, on(3), "No time", None),
        (2, on(2), "No time", "from_date"),
        (-5, on(0), "No time", None),
        (-5, on(-1), "No time", "from_date"),
        (2, None, "No time", "from_date"),
        (2, on(3), "  ", "reason"),
        (None, on(3), "No time", "policy"),
    ],
)
def test_contact_begins_after_the_lists_are_due_and_not_in_the_past(
    due: int | None, from_date: date | None, reason: str, field: str | None
) -> None:
    run = practice_list(due).run if due is not None else SearchRunFactory()
    if field is None:
        assert decide(run, from_date=from_date, reason=reason).from_date == from_date
        return
    with pytest.raises(DecisionError) as refused:
        decide(run, from_date=from_date, reason=reason)
    assert refused.value.field == field
    assert not LateDecision.objects.exists()


def test_each_decision_is_kept_and_the_latest_comes_first() -> None:
    run, other = practice_list(2).run, practice_list(2).run
    decide(run)
    decide(other)
    held = decide(run, policy=LatePolicy.HOLD, reason=" Wrong list ")
    assert [(row.policy, row.from_date, row.reason) for row in decisions(run)] == [
        ("HOLD", None, "Wrong list"),
        ("CONTACT", on(3), "No time"),
    ]
    for change in (lambda rows: rows.update(reason="Other"), lambda rows: rows.delete()):
        with pytest.raises(InternalError), transaction.atomic():
            change(LateDecision.objects.filter(pk=held.pk))


def test_only_a_central_operator_decides() -> None:
    run = practice_list(2).run
    for by in (MembershipFactory(), lead(MembershipFactory().organisation)):
        with pytest.raises(NotAllowed):
            decide(run, by=by)


def test_the_page_shows_who_waits_decides_and_says_what_is_wrong(
    sign_in: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    late = practice_list(-1)
    put(late, MembershipFactory(), to_review=7, confirmed=2)
    client = sign_in(operator())
    url = reverse("cohort:late_policy", args=[late.run_id])
    assert "People on them, not reviewed 7" in read(client.get(url))
    assert "Nobody has decided anything else" in read(client.get(url))
    typed = {"policy": "CONTACT", "reason": "No time", "from_date_day": "1", "from_date_month": "3"}
    wrong = read(client.post(url, {**typed, "from_date_year": "2020"}))
    assert "The day must be after 19 March 2020, when the lists are due" in wrong
    assert "Select what should happen" in read(client.post(url, {"reason": "No time"}))
    day = TODAY + timedelta(days=1)
    right = {**typed, "from_date_day": f"{day.day}", "from_date_month": f"{day.month}", "from_date_year": "2020"}
    page = read(client.post(url, right, follow=True))
    assert "Decided: they are contacted anyway." in page
    assert "Now Contact them anyway, from 21 March 2020" in page
    assert "Olu Adams" in page
    assert "Decided: they are held back" in read(client.post(url, {"policy": "HOLD", "reason": "No"}, follow=True))


def test_nobody_else_sees_the_page(sign_in: Callable[[Any], Any]) -> None:
    late = practice_list(-1)
    assert sign_in(MembershipFactory()).get(reverse("cohort:late_policy", args=[late.run_id])).status_code == 403
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert sign_in(operator()).get(reverse("cohort:late_policy", args=[nowhere])).status_code == 404

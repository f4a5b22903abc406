"""Logging a check-in: needs become referrals to the right council, and nobody's location gets out."""

import threading
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from coordinators import queries
from coordinators.actions import FormAlreadyUsed, HasDied, NothingSaidYet, NotOnCaseload, log_check_in
from coordinators.models import CheckIn, Need, Referral
from coordinators.rules import CheckInOutcome, NeedKind
from shielding.accounts.policies import NotAllowed
from shielding.places.models import LocalAuthority, Successor
from tests.cohort.factories import NOW
from tests.coordinators.factories import Team, coordinator, make_team

FOOD = [(NeedKind.FOOD, "Halal")]


def log(team: Team, **changes: Any) -> CheckIn:
    arguments: dict[str, Any] = {
        "patient_id": team.amina.pk,
        "outcome": CheckInOutcome.COMPLETED,
        "is_safe_to_talk": True,
        "note": "",
        "needs": [],
        "by": team.lead,
        "at": NOW,
    }
    return log_check_in(**{**arguments, **changes})


def test_a_need_becomes_a_referral_to_the_council_of_the_postcode(team: Team) -> None:
    check_in = log(team, needs=[*FOOD, (NeedKind.MONEY, "")])

    assert (check_in.at, check_in.by, check_in.is_safe_to_talk) == (NOW, team.lead, True)
    assert {need.kind for need in check_in.needs.all()} == {"FOOD", "MONEY"}
    for referral in Referral.objects.all():
        assert referral.local_authority == team.staff.organisation.local_authority
        assert (referral.state, referral.made_at, referral.made_by) == ("WAITING", NOW, team.lead)


def test_the_council_is_the_one_of_that_day(team: Team) -> None:
    before = team.staff.organisation.local_authority
    after = LocalAuthority.objects.create(gss_code="E06000099", name="New Council")
    Successor.objects.create(predecessor=before, successor=after, on_date=date(2020, 3, 20))

    log(team, needs=FOOD)

    assert Referral.objects.get().local_authority == after


def test_an_unknown_postcode_makes_a_referral_that_waits_for_its_council(team: Team) -> None:
    team.amina.postcode = "ZZ9 9ZZ"
    team.amina.save()

    log(team, needs=FOOD)

    assert Referral.objects.get().local_authority is None
    assert queries.without_authority().count() == 1
    assert "No council is known" in queries.what_became_of_needs(CheckIn.objects.get())


def test_a_restricted_persons_need_is_told_to_no_council(team: Team) -> None:
    team.amina.is_restricted = True
    team.amina.save()

    check_in = log(team, needs=FOOD)

    assert Need.objects.count() == 1
    assert not Referral.objects.exists()
    assert "stays with you" in queries.what_became_of_needs(check_in)


@pytest.mark.parametrize("outcome", [CheckInOutcome.NO_ANSWER, CheckInOutcome.VOICEMAIL, CheckInOutcome.WRONG_NUMBER])
@pytest.mark.parametrize("said", [{"needs": FOOD, "is_safe_to_talk": None}, {"is_safe_to_talk": False}])
def test_nobody_who_did_not_answer_said_anything(team: Team, outcome: CheckInOutcome, said: dict[str, Any]) -> None:
    with pytest.raises(NothingSaidYet):
        log(team, outcome=outcome, **said)

    assert not CheckIn.objects.exists()


@pytest.mark.parametrize("outcome", list(CheckInOutcome))
def test_every_outcome_is_logged(team: Team, outcome: CheckInOutcome) -> None:
    assert log(team, outcome=outcome, is_safe_to_talk=None).outcome == outcome


def test_nobody_logs_for_somebody_elses_person(team: Team) -> None:
    for patient in (team.charlie, team.bob):
        with pytest.raises(NotOnCaseload):
            log(team, patient_id=patient.pk)
    with pytest.raises(NotOnCaseload):
        log(team, by=coordinator(team.practice))
    with pytest.raises(NotAllowed):
        log(team, by=team.staff)


def test_nobody_checks_in_with_the_dead(team: Team) -> None:
    team.amina.death_status = "FORMAL"
    team.amina.save()

    with pytest.raises(HasDied):
        log(team)


def test_a_form_sent_twice_logs_once(team: Team) -> None:
    token = uuid4()

    first, again = (log(team, check_in_id=token, needs=FOOD) for _ in range(2))

    assert first == again
    assert (CheckIn.objects.count(), Referral.objects.count()) == (1, 1)


def test_a_forms_token_belongs_to_one_person(team: Team) -> None:
    token = log(team).pk

    with pytest.raises(FormAlreadyUsed):
        log(team, check_in_id=token, patient_id=team.charlie.pk, by=team.other_lead)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_at_the_same_moment_logs_once() -> None:
    team = make_team()
    token, start, found = uuid4(), threading.Barrier(4), []

    def click() -> None:
        try:
            start.wait()
            found.append(log(team, check_in_id=token, needs=FOOD).pk)
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join(30)

    assert found == [token] * 4
    assert (CheckIn.objects.count(), Need.objects.count(), Referral.objects.count()) == (1, 1, 1)

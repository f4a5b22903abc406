"""The demo's letters that come back and numbers that are nobody's: a few, the same each time, no letter of the cast."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cohort.models import Patient
from letters.models import Message, Receipt
from shielding.accounts.models import Role
from shielding.demo import path
from tests.cohort.factories import (
    MembershipFactory,
    OrganisationFactory,
    PracticeListFactory,
    invented_nhs_number,
    sign_in,
)
from tests.letters.factories import NOON, mailing, validated
from tests.letters.outbox import work

__all__ = ["mailing", "sign_in"]
MANY = [invented_nhs_number(n) for n in range(2_000)]
BACK = [number for number in MANY if path._is_one_of("letter", number, path.RETURNED)]
DEAD = [number for number in MANY if path._is_one_of("number", number, path.DEAD_NUMBERS)]
FINE = [number for number in MANY if number not in BACK and number not in DEAD]


def test_a_few_in_a_hundred_of_each_and_seldom_the_same_people() -> None:
    assert 0.02 < len(BACK) / len(MANY) < 0.06
    assert 0.02 < len(DEAD) / len(MANY) < 0.06
    assert len({*BACK} & {*DEAD}) < len(BACK) / 3


@pytest.mark.django_db
def test_the_demo_shows_letters_that_came_back_and_dead_numbers_and_a_second_run_says_the_same(
    mailing: Any, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    monkeypatch.setattr(path, "wake", lambda task: None)
    gone, cast, *_ = (number for number in BACK if number not in DEAD)
    dead = next(number for number in DEAD if number not in BACK)
    numbers = {"Gwen": gone, "Cast": cast, "Dev": dead, "Fay": FINE[0]}
    practice = OrganisationFactory(name="Mill Lane Surgery")
    practice_list = PracticeListFactory(practice=practice)
    for name, number in numbers.items():
        validated(practice_list=practice_list, practice=practice, given_name=name, nhs_number=number)
    country: Any = SimpleNamespace(cast={"Amina": SimpleNamespace(nhs_number=numbers["Cast"])})

    def state_of(name: str, channel: str) -> tuple[str, str]:
        message = Message.objects.get(patient__given_name=name, channel=channel)
        return message.state, message.hold_reason or message.failure

    said = []
    for _ in range(2):
        path.send(by=mailing.operator, second=mailing.second)
        work()
        path.post_comes_back(country)
        said.append(sorted(Message.objects.values_list("patient__given_name", "channel", "state", "attempt")))
    assert said[0] == said[1]
    assert Receipt.objects.count() == 1
    assert state_of("Gwen", "LETTER") == ("FAILED", "The letter came back")
    assert state_of("Dev", "SMS") == ("HELD", "NUMBER_UNDELIVERABLE")
    for name, channel in (("Gwen", "SMS"), ("Dev", "LETTER"), *((each, "LETTER") for each in ("Cast", "Fay"))):
        assert state_of(name, channel) == ("HANDED_OVER", "")

    gp = MembershipFactory(organisation=practice, role=Role.GP)
    browser = sign_in(gp)
    problems = " ".join(browser.get(reverse("cohort:contact_problems")).content.decode().split())
    assert "<strong>A letter came back</strong>" in problems
    assert "<strong>Texts do not reach</strong>" in problems
    assert "Gwen" in problems
    assert "Dev" in problems
    assert "Cast" not in problems
    assert "Fay" not in problems
    gwen = Patient.objects.get(given_name="Gwen")
    history = browser.get(reverse("letters:contact_history", args=[gwen.pk])).content.decode()
    assert "Came back: Gone away" in history

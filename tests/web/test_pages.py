"""Home, and the menu of each role."""

import re

import pytest
from django.test import Client

from shielding.accounts.models import Role
from shielding.web import navigation
from tests.accounts.people import member

pytestmark = pytest.mark.django_db


def test_home_says_who_and_where(client: Client) -> None:
    client.force_login(member(Role.GP).user)
    response = client.get("/")
    text = response.content.decode()
    assert response.status_code == 200
    assert "GP, Hawthorn practice" in text


@pytest.mark.parametrize("role", Role)
def test_each_role_is_led_to_pages_it_may_open(client: Client, role: Role) -> None:
    who = member(role)
    client.force_login(who.user)
    home = client.get("/").content.decode()
    for item in navigation.items_for(who):
        assert item.description in home
        answer = client.get(item.href)
        assert answer.status_code == 200, item
        if role != Role.ADMINISTRATOR:  # Django admin has a frame of its own
            assert re.search(rf'href="{item.href}" aria-current="page"', answer.content.decode()), item

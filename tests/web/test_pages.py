"""Home, choosing an organisation, health."""

import pytest
from django.test import Client

from shielding.accounts.models import Membership, Organisation, Role, User

pytestmark = pytest.mark.django_db


def make(role: Role = Role.GP) -> Membership:
    organisation = Organisation.objects.create(code="A81001", name="Hawthorn Surgery", kind="PRACTICE")
    user = User.objects.create_user("dr@example.org", "correct horse battery", name="Dr Reed")
    return Membership.objects.create(user=user, organisation=organisation, role=role)


def test_home_says_who_and_where(client: Client) -> None:
    membership = make()
    client.force_login(membership.user)
    response = client.get("/")
    text = response.content.decode()
    assert response.status_code == 200
    assert "Hawthorn Surgery" in text

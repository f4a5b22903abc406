"""What the tests of coordination share."""

from typing import Any

import pytest

from tests.cohort.factories import sign_in
from tests.coordinators.factories import Team, make_team

__all__ = ["sign_in", "team"]


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Half a second a user otherwise."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def team(db: None) -> Team:
    """A coordinator, a council and the fixed cast in a fresh database."""
    return make_team()

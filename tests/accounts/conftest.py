"""Sign-in counts tries in the cache: each test starts from none. Passwords are hashed fast."""

from typing import Any

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _no_tries_yet(db: None, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()

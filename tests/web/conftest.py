"""The pages' tests share the browser, and hash passwords fast."""

from typing import Any

import pytest

from tests.browser import axe, browser, page

__all__ = ["axe", "browser", "page"]


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

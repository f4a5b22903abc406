"""Stub suppliers that run while a test does, and the settings that lead to them."""

from collections.abc import Iterator
from typing import Any

import pytest

from letters.transports.notify.stub import API_KEY, TEMPLATE_ID, NotifyStub
from letters.transports.print_supplier.stub import PrintStub


@pytest.fixture
def printer(settings: Any) -> Iterator[PrintStub]:
    with PrintStub() as stub:
        settings.PRINT_SUPPLIER_URL = stub.url
        settings.PRINT_SUPPLIER_USER = "shielding"
        settings.PRINT_SUPPLIER_PASSWORD = "secret"
        yield stub


@pytest.fixture
def notify(settings: Any) -> Iterator[NotifyStub]:
    with NotifyStub() as stub:
        settings.NOTIFY_BASE_URL = stub.url
        settings.NOTIFY_API_KEY = API_KEY
        settings.NOTIFY_SMS_TEMPLATE_ID = TEMPLATE_ID
        yield stub

"""Stub suppliers that run while a test does, and the settings that lead to them."""

from collections.abc import Iterator
from typing import Any

import pytest

from letters.transports.print_supplier.stub import PrintStub


@pytest.fixture
def printer(settings: Any) -> Iterator[PrintStub]:
    with PrintStub() as stub:
        settings.PRINT_SUPPLIER_URL = stub.url
        settings.PRINT_SUPPLIER_USER = "shielding"
        settings.PRINT_SUPPLIER_PASSWORD = "secret"
        yield stub

"""What the tests of transports share."""

from tests.letters.stub_suppliers import notify, printer

__all__ = ["notify", "printer"]

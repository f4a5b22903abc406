"""What the tests of contact problems share."""

from tests.cohort.factories import cast, sign_in

__all__ = ["cast", "sign_in"]

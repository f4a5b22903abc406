"""What the letters app's tests share."""

from tests.cohort.factories import sign_in
from tests.letters.factories import mailing, operator
from tests.letters.test_calling import provider

__all__ = ["mailing", "operator", "provider", "sign_in"]

"""What the letters app's tests share."""

from tests.cohort.factories import sign_in
from tests.letters.factories import mailing, operator

__all__ = ["mailing", "operator", "sign_in"]

import nhs_number
import pytest

from cohort.models import ListEntry
from tests.cohort.factories import Cast, invented_nhs_number


def test_factories_numbers_are_valid_distinct_and_in_the_test_range() -> None:
    numbers = [invented_nhs_number(n) for n in range(3000)]
    assert len(set(numbers)) == 3000
    assert all(number.startswith("999") and nhs_number.is_valid(number) for number in numbers)


@pytest.mark.django_db
def test_the_cast_waits_for_review_at_two_practices(cast: Cast) -> None:
    assert set(ListEntry.objects.values_list("patient__given_name", "practice_list__practice__code")) == {
        ("Amina", "Z90001"),
        ("Bob", "Z90001"),
        ("Charlie", "Z90002"),
    }

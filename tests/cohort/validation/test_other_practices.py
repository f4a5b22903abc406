"""What is another practice's does not exist."""

import pytest
from django.urls import reverse

from cohort.models import Patient
from cohort.queries.review import version
from tests.cohort.factories import (
    Cast,
)
from tests.cohort.validation.pages import SignIn, entry_of, list_url, person_url, read

pytestmark = pytest.mark.django_db


def test_charlie_is_never_seen_by_the_first_practice_at_any_address(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    data = {"decision": "confirm", "seen": version(entry_of(cast.charlie))}
    nowhere = "00000000-0000-4000-8000-000000000000"
    for list_id in (cast.practice_list.pk, cast.other_list.pk, nowhere):
        for name in ("cohort:person", "cohort:undo"):
            url = reverse(name, args=[list_id, cast.charlie.pk])
            assert client.post(url, data).status_code == 404
            if name == "cohort:person":
                assert client.get(url).status_code == 404
    for name in ("cohort:list", "cohort:submit"):
        for list_id in (cast.other_list.pk, nowhere):
            assert client.get(reverse(name, args=[list_id])).status_code == 404
    assert client.post(reverse("cohort:submit", args=[cast.other_list.pk])).status_code == 404
    assert entry_of(cast.charlie).review_state == "TO_REVIEW"
    for url in (
        reverse("cohort:lists"),
        list_url(cast, decided=str(cast.charlie.pk)),
        list_url(cast, name="charlie"),
        reverse("cohort:submit", args=[cast.practice_list.pk]),
    ):
        assert b"Charlie" not in client.get(url).content.replace(b'value="charlie"', b"")


def test_what_is_anothers_looks_as_what_does_not_exist(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    nowhere = "00000000-0000-4000-8000-000000000000"
    pages = [
        read(client.get(reverse("cohort:person", args=[cast.practice_list.pk, patient])))
        for patient in (cast.charlie.pk, nowhere)
    ]
    assert pages[0] == pages[1]


def test_somebody_who_moved_to_another_practice_is_seen_by_the_old_one_no_more(cast: Cast, sign_in: SignIn) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(practice=cast.other_practice)
    client = sign_in(cast.gp)
    assert client.get(person_url(cast, cast.amina)).status_code == 404
    page = read(client.get(list_url(cast)))
    assert "Khan" not in page
    assert "To review (1)" in page

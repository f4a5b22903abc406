"""How the tests of validation read and press its pages."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from cohort.models import ListEntry, Patient
from shielding.accounts.models import Membership
from tests.cohort.factories import (
    Cast,
)

SignIn = Callable[[Membership], Client]
HUGO_TYPED = {
    "birth_date_day": "9",
    "birth_date_month": "1",
    "birth_date_year": "1970",
}
#: The second step, once Hugo has been found.
HUGO_ADDED = {
    "step": "add",
    "nhs_number": "9999000002",
    "birth_date": "1970-01-09",
    "tier": "HIGH",
    "reason": "Takes a hospital-only medicine",
}


def read(response: Any) -> str:
    """Returns the words of a page, as read."""
    body = re.sub(r"(?s)<(script|style|svg|header).*?</\1>", "", response.content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def entry_of(patient: Patient) -> ListEntry:
    return ListEntry.objects.get(pk=patient.pk)


def list_url(cast: Cast, **query: str) -> str:
    return reverse("cohort:list", args=[cast.practice_list.pk]) + ("?" + urlencode(query) if query else "")


def person_url(cast: Cast, patient: Patient) -> str:
    return reverse("cohort:person", args=[cast.practice_list.pk, patient.pk])


def seen_on(response: Any) -> str:
    return html.unescape(re.search(r'name="seen" value="([^"]+)"', response.content.decode())[1])  # type: ignore[index]


def decide(client: Client, cast: Cast, patient: Patient, **data: str) -> Any:
    url = person_url(cast, patient)
    page = client.get(url)
    return client.post(url, {"decision": "confirm", "seen": seen_on(page), **data})


REMOVAL = {"decision": "remove", "reason": "LOW_RISK", "is_patient_told": "yes"}

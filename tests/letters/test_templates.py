"""Templates: loaded once, versioned on change, refused when they cannot be used, and kept in admin."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error
from django.urls import reverse

from letters.actions.templates import SHIPPED, TemplateNotUsable, add_version, load_templates
from letters.models import Campaign, Template, TemplateVersion
from shielding.accounts.models import Membership, Role
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import NOON

pytestmark = pytest.mark.django_db


def test_what_is_shipped_loads_once() -> None:
    out = StringIO()
    call_command("load_templates", stdout=out)
    call_command("load_templates", stdout=out)
    assert out.getvalue().splitlines() == [
        "new: Advice letter version 1",
        "new: Advice text version 1",
        "new: Advice letter of a hospital unit version 1",
        "unchanged: first-advice-letter",
        "unchanged: first-advice-sms",
        "unchanged: hospital-advice-letter",
    ]
    assert set(Campaign.objects.values_list("slug", flat=True)) == {"first-advice", "hospital-advice"}


def test_a_change_makes_a_new_version_and_the_old_one_stays(tmp_path: Path) -> None:
    load_templates(at=NOON)
    source = (SHIPPED / "first-advice-sms.toml").read_text()
    (tmp_path / "first-advice-sms.toml").write_text(source.replace("stay at home", "stay indoors"))
    assert [version.number for version in load_templates(at=NOON, folder=tmp_path).new] == [2]
    old, new = TemplateVersion.objects.filter(template__slug="first-advice-sms").order_by("number")
    assert "stay at home" in old.body
    assert "stay indoors" in new.body
    with pytest.raises(Error):
        TemplateVersion.objects.filter(pk=old.pk).update(body="else")


def test_one_that_cannot_be_used_loads_none(tmp_path: Path) -> None:
    for path in SHIPPED.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text().replace("((practice_name))", "((surgery))"))
    with pytest.raises(TemplateNotUsable, match="no placeholder called “surgery”"):
        load_templates(at=NOON, folder=tmp_path)
    assert not Template.objects.exists()


@pytest.fixture
def administrator(client: Any) -> Membership:
    found = MembershipFactory(role=Role.ADMINISTRATOR, user__is_staff=True)
    client.force_login(found.user)
    return found


def test_an_administrator_adds_a_version(client: Any, administrator: Membership) -> None:
    load_templates(at=NOON)
    template = Template.objects.get(slug="first-advice-letter")
    page = reverse("admin:letters_templateversion_add")
    assert client.get(page).status_code == 200
    answer = client.post(page, {"template": template.pk, "subject": "Advice", "body": "Dear ((name)), stay."})
    assert answer.status_code == 302
    latest = template.versions.latest("number")
    assert (latest.number, latest.subject, latest.approved_by) == (2, "Advice", administrator.user)


def test_an_administrator_is_told_what_is_wrong(client: Any, administrator: Membership) -> None:
    load_templates(at=NOON)
    template = Template.objects.get(slug="first-advice-letter")
    answer = client.post(
        reverse("admin:letters_templateversion_add"), {"template": template.pk, "subject": "A", "body": "Dear ((nmae))"}
    )
    assert "There is no placeholder called “nmae”" in answer.content.decode()
    assert template.versions.count() == 1


def test_a_version_can_be_read_and_never_changed_or_deleted(client: Any, administrator: Membership) -> None:
    load_templates(at=NOON)
    version = TemplateVersion.objects.get(template__slug="first-advice-letter")
    page = reverse("admin:letters_templateversion_change", args=[version.pk])
    shown = client.get(page)
    assert "Dear ((name))" in shown.content.decode()
    assert client.post(page, {"body": "else"}).status_code == 403
    assert client.get(reverse("admin:letters_templateversion_delete", args=[version.pk])).status_code == 403
    assert client.get(reverse("admin:letters_templateversion_changelist")).status_code == 200


def test_the_same_words_again_add_no_version() -> None:
    load_templates(at=NOON)
    version = TemplateVersion.objects.get(template__slug="first-advice-letter")
    by = MembershipFactory().user
    words: dict[str, Callable[[], Any] | Any] = {"subject": version.subject, "body": version.body}
    assert add_version(template=version.template, **words, by=by, at=NOON) == version

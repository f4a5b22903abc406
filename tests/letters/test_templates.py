"""Templates: loaded once; drafted by one person, approved by another, and never changed after."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error, transaction
from django.urls import reverse

from cohort.rules import Channel
from letters.actions.drafts import (
    NotApprovedYet,
    NothingChanged,
    NotOpen,
    Overtaken,
    OwnDraft,
    TemplateError,
    TemplateNotUsable,
    approve_translation,
    approve_version,
    draft_translation,
    draft_version,
    withdraw_version,
)
from letters.actions.templates import SHIPPED, load_templates
from letters.models import Campaign, Template, TemplateVersion, Translation
from letters.queries import latest_template
from letters.queries.templates import in_use, translation_for
from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import NOON

pytestmark = pytest.mark.django_db


def test_what_is_shipped_loads_once() -> None:
    out = StringIO()
    call_command("load_templates", stdout=out)
    call_command("load_templates", stdout=out)
    slugs = [path.stem for path in sorted(SHIPPED.glob("*.toml"))]
    names = list(Template.objects.order_by("slug").values_list("name", flat=True))
    first, second = out.getvalue().splitlines()[: -len(slugs)], out.getvalue().splitlines()[-len(slugs) :]
    assert first == [
        *(f"new: {name} version 1" for name in names),
        "new: Advice letter version 1 in Polish",
        "new: Advice text version 1 in Polish",
    ]
    assert second == [f"unchanged: {slug}" for slug in slugs]
    removal = Campaign.objects.get(slug="removal")
    assert (removal.name, removal.audience) == ("Taken off the list", "REMOVED")
    assert set(Campaign.objects.values_list("slug", flat=True)) == {
        "coordinator",
        "first-advice",
        "hospital-advice",
        "removal",
    }


def test_what_a_machine_translated_is_shipped_as_a_draft() -> None:
    load_templates(at=NOON)
    assert load_templates(at=NOON).translations == ()
    shipped = Translation.objects.all()
    assert {each.language for each in shipped} == {path.parent.name for path in SHIPPED.glob("*/*.toml")}
    assert all(each.is_open and each.is_machine_made and each.drafted_by is None for each in shipped)


def test_a_change_makes_a_new_version_and_the_old_one_stays(tmp_path: Path) -> None:
    load_templates(at=NOON)
    source = (SHIPPED / "first-advice-sms.toml").read_text()
    (tmp_path / "first-advice-sms.toml").write_text(source.replace("stay at home", "stay indoors"))
    assert [version.number for version in load_templates(at=NOON, folder=tmp_path).new] == [2]
    old, new = TemplateVersion.objects.filter(template__slug="first-advice-sms").order_by("number")
    assert "stay at home" in old.body
    assert "stay indoors" in new.body


def test_one_that_cannot_be_used_loads_none(tmp_path: Path) -> None:
    for path in SHIPPED.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text().replace("((practice_name))", "((surgery))"))
    with pytest.raises(TemplateNotUsable, match="no placeholder called “surgery”"):
        load_templates(at=NOON, folder=tmp_path)
    assert not Template.objects.exists()


def test_a_change_of_the_product_becomes_a_draft_beside_the_centres_own_words(tmp_path: Path) -> None:
    load_templates(at=NOON)
    template = Template.objects.get(slug="first-advice-sms")
    own = approved(drafted(template, body="NHS: stay in."))
    assert load_templates(at=NOON).new == ()  # the words that came before are not new
    source = (SHIPPED / "first-advice-sms.toml").read_text()
    (tmp_path / "first-advice-sms.toml").write_text(source.replace("stay at home", "stay indoors"))
    (new,) = load_templates(at=NOON, folder=tmp_path).new
    assert new.is_open
    assert in_use(template) == own


def clinician(name: str = "Dr Ada Obi") -> Membership:
    return MembershipFactory(role=Role.CENTRAL_CLINICIAN, user__name=name)


def drafted(template: Template, *, body: str = "NHS: stay in.", by: Membership | None = None) -> TemplateVersion:
    return draft_version(template=template, subject="", body=body, by=by or clinician(), at=NOON)


def approved(version: TemplateVersion, *, by: Membership | None = None) -> TemplateVersion:
    return approve_version(version_id=version.pk, by=by or clinician(), at=NOON)


@pytest.fixture
def template(db: None) -> Template:
    load_templates(at=NOON)
    return Template.objects.get(slug="first-advice-sms")


def test_a_draft_is_used_once_a_second_person_has_approved_it(template: Template) -> None:
    campaign = Campaign.objects.get(slug="first-advice")
    shipped, draft = in_use(template), drafted(template)
    assert (draft.number, draft.is_open) == (2, True)
    assert latest_template(campaign, Channel.SMS) == shipped
    approved(draft)
    assert latest_template(campaign, Channel.SMS) == draft


def test_nobody_approves_their_own_draft(template: Template) -> None:
    by = clinician()
    draft = drafted(template, by=by)
    with pytest.raises(OwnDraft):
        approved(draft, by=by)
    with pytest.raises(Error), transaction.atomic():  # whatever the code does
        TemplateVersion.objects.filter(pk=draft.pk).update(approved_at=NOON, approved_by=by.user)
    with pytest.raises(Error), transaction.atomic():
        TemplateVersion.objects.filter(pk=draft.pk).update(approved_at=NOON)
    assert in_use(template) != draft


@pytest.mark.parametrize("role", [role for role in Role if not role.startswith("CENTRAL_")])
def test_other_roles_neither_draft_nor_approve_nor_withdraw(template: Template, role: Role) -> None:
    by, draft = MembershipFactory(role=role), drafted(template)
    for refused in (
        lambda: drafted(template, body="NHS: else.", by=by),
        lambda: approved(draft, by=by),
        lambda: withdraw_version(version_id=draft.pk, by=by, at=NOON),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_what_is_approved_or_withdrawn_stays_so(template: Template) -> None:
    draft = drafted(template)
    withdraw_version(version_id=draft.pk, by=clinician(), at=NOON)
    with pytest.raises(NotOpen, match="has withdrawn"):
        approved(draft)
    again = approved(drafted(template))
    with pytest.raises(NotOpen, match="has approved"):
        withdraw_version(version_id=again.pk, by=clinician(), at=NOON)
    changes = [(draft, {"withdrawn_at": None, "withdrawn_by": None}), (again, {"approved_by": clinician().user})]
    for version, change in changes:
        with pytest.raises(Error), transaction.atomic():
            TemplateVersion.objects.filter(pk=version.pk).update(**change)


@pytest.mark.parametrize("field", ["subject", "body"])
def test_the_words_of_a_draft_never_change(template: Template, field: str) -> None:
    draft = drafted(template)
    with pytest.raises(Error), transaction.atomic():
        TemplateVersion.objects.filter(pk=draft.pk).update(**{field: "else"})
    with pytest.raises(Error), transaction.atomic():
        draft.delete()


def test_a_draft_that_a_later_version_has_overtaken_cannot_be_approved(template: Template) -> None:
    old, new = drafted(template, body="NHS: one."), drafted(template, body="NHS: two.")
    approved(new)
    with pytest.raises(Overtaken):
        approved(old)
    assert in_use(template) == new


def test_words_that_are_there_already_are_no_draft(template: Template) -> None:
    shipped = in_use(template)
    assert shipped
    with pytest.raises(NothingChanged):
        drafted(template, body=shipped.body.replace("\n", "\r\n") + "\r\n")  # as a browser sends it
    drafted(template, body="NHS: one.")
    with pytest.raises(NothingChanged):
        drafted(template, body="NHS: one.")


def test_what_cannot_be_used_is_no_draft(template: Template) -> None:
    with pytest.raises(TemplateNotUsable, match="no placeholder called “nmae”"):
        drafted(template, body="Dear ((nmae))")
    assert template.versions.count() == 1


POLISH = "NHS, w imieniu ((practice_name)): wysłaliśmy Pani/Panu ważny list."


def translated(version: TemplateVersion, body: str = POLISH, **changes: Any) -> Translation:
    given = {"language": "pl", "subject": "", "is_machine_made": False, "by": clinician(), **changes}
    return draft_translation(version=version, body=body, at=NOON, **given)


def test_a_translation_is_used_once_somebody_who_can_read_it_and_a_second_person_say_so(template: Template) -> None:
    english = in_use(template)
    assert english
    by = clinician()
    draft = translated(english, by=by)
    assert translation_for(english, "pl") is None
    approve = {"translation_id": draft.pk, "at": NOON}
    with pytest.raises(OwnDraft):
        approve_translation(**approve, by=by, checked_by="A. Nowak")
    with pytest.raises(TemplateError, match="who has read it"):
        approve_translation(**approve, by=clinician(), checked_by=" ")
    approve_translation(**approve, by=clinician(), checked_by="A. Nowak")
    assert translation_for(english, "pl") == draft
    assert translation_for(english, "") is translation_for(english, "ur") is None


def test_the_translation_approved_last_is_used(template: Template) -> None:
    english = in_use(template)
    assert english
    one, two = translated(english), translated(english, POLISH + " Proszę zostać w domu.")
    for at, each in enumerate((two, one)):
        moment = NOON + timedelta(hours=at)
        approve_translation(translation_id=each.pk, by=clinician(), checked_by="A. Nowak", at=moment)
    assert translation_for(english, "pl") == one


def test_a_translation_waits_for_its_english(template: Template) -> None:
    english = drafted(template, body="NHS, for ((practice_name)): stay in.")
    draft = translated(english)
    approve = {"translation_id": draft.pk, "by": clinician(), "checked_by": "A. Nowak", "at": NOON}
    with pytest.raises(NotApprovedYet):
        approve_translation(**approve)
    approved(english)
    assert approve_translation(**approve).approved_at


def test_a_translation_that_loses_a_placeholder_is_refused(template: Template) -> None:
    english = in_use(template)
    assert english
    with pytest.raises(TemplateNotUsable, match="The English has “\\(\\(practice_name\\)\\)”"):
        translated(english, "NHS: ważny list.")
    with pytest.raises(TemplateNotUsable, match="The translation has “\\(\\(practice_phone\\)\\)”"):
        translated(english, POLISH + " ((practice_phone))")


def test_the_database_keeps_a_translation_nobody_checked_from_being_approved(template: Template) -> None:
    english = in_use(template)
    assert english
    draft = english.translations.create(language="pl", body=POLISH, is_machine_made=True, drafted_at=NOON)
    someone = clinician().user
    for change in (
        {"approved_at": NOON},
        {"approved_at": NOON, "approved_by": someone},
        {"approved_at": NOON, "checked_by": "A. Nowak"},
        {"is_machine_made": False},
        {"language": "ur"},
    ):
        with pytest.raises(Error), transaction.atomic():
            Translation.objects.filter(pk=draft.pk).update(**change)


def test_an_administrator_reads_versions_and_changes_none(client: Any) -> None:
    administrator = MembershipFactory(role=Role.ADMINISTRATOR, user__is_staff=True)
    client.force_login(administrator.user)
    load_templates(at=NOON)
    version = TemplateVersion.objects.get(template__slug="first-advice-letter")
    page = reverse("admin:letters_templateversion_change", args=[version.pk])
    assert "Dear ((name))" in client.get(page).content.decode()
    assert client.post(page, {"body": "else"}).status_code == 403
    assert client.get(reverse("admin:letters_templateversion_add")).status_code == 403
    assert client.get(reverse("admin:letters_templateversion_delete", args=[version.pk])).status_code == 403
    for model in ("template", "templateversion", "translation"):
        assert client.get(reverse(f"admin:letters_{model}_changelist")).status_code == 200

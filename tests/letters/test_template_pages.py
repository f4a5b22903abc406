"""The pages of letters' and texts' words: draft, look, translate, approve; and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from letters.actions.drafts import draft_translation, draft_version
from letters.actions.templates import load_templates
from letters.models import Template, TemplateVersion, Translation
from letters.queries.templates import in_use
from shielding.accounts.models import Membership, Role
from tests.browser import axe, browser, page
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import NOON

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db
URDU = "NHS، ((practice_name)) کی طرف سے: ایک اہم خط آ رہا ہے۔ خط پڑھنے تک گھر پر رہیں۔"  # noqa: RUF001


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def clinician(name: str) -> Membership:
    return MembershipFactory(role=Role.CENTRAL_CLINICIAN, user__name=name)


@pytest.fixture
def ada(db: None) -> Membership:
    load_templates(at=NOON)
    return clinician("Ada Obi")


def the(slug: str) -> TemplateVersion:
    found = in_use(Template.objects.get(slug=slug))
    assert found
    return found


def drafted(by: Membership, slug: str = "first-advice-sms", body: str = "NHS: stay in.") -> TemplateVersion:
    subject = "" if slug.endswith("sms") else "Advice"
    return draft_version(template=Template.objects.get(slug=slug), subject=subject, body=body, by=by, at=NOON)


def translated(by: Membership) -> Translation:
    return draft_translation(
        version=the("first-advice-sms"),
        language="ur",
        subject="",
        body=URDU,
        is_machine_made=True,
        by=by,
        at=NOON,
    )


def test_one_person_drafts_and_another_approves(ada: Membership, sign_in: Callable[[Membership], Any]) -> None:
    mine = sign_in(ada)
    new = the("first-advice-sms").body.replace("stay at home", "stay indoors")
    saved = mine.post(reverse("letters:draft_template", args=["first-advice-sms"]), {"body": new}, follow=True)
    shown = text(saved)
    assert "Nobody gets it before a colleague has approved it" in shown
    assert '<ins><span class="nhsuk-u-visually-hidden">Added: </span>indoors</ins> until' in shown
    assert "NHS, for Mill Lane Surgery" in shown
    assert "1 fragment." in shown
    assert "somebody else must approve it" in shown
    draft = TemplateVersion.objects.latest("pk")
    approve = reverse("letters:approve_version", args=[draft.pk])
    assert "somebody else must approve it" in text(mine.post(approve, follow=True))
    colleague = sign_in(clinician("Bea Roy"))
    assert "Approve this version" in text(colleague.get(reverse("letters:template_version", args=[draft.pk])))
    assert "Batches planned from now on use it" in text(colleague.post(approve, follow=True))
    assert the("first-advice-sms") == draft
    assert "Version 2" in text(colleague.get(reverse("letters:templates")))


def test_what_is_wrong_stands_beside_the_words(ada: Membership, sign_in: Callable[[Membership], Any]) -> None:
    mine, address = sign_in(ada), reverse("letters:draft_template", args=["first-advice-letter"])
    assert "Important advice to keep you safe" in text(mine.get(address))
    for given, said in (
        ({"subject": "", "body": ""}, "Enter a heading"),
        ({"subject": "Advice", "body": "Dear ((nmae))"}, "There is no placeholder called “nmae”"),
        ({"subject": "Advice", "body": "李"}, "A character cannot be printed in our font."),
        ({"subject": "A", "body": "\n\n".join(["Stay in."] * 400)}, "The letter has more than 10 pages."),
    ):
        shown = text(mine.post(address, given))
        assert said in shown
        assert "<title> Error:" in shown or "Error: Draft a new version" in shown
    assert TemplateVersion.objects.filter(template__slug="first-advice-letter").count() == 1


@pytest.mark.parametrize("person", ["working-age", "long-name", "no-phone", "nobody"])
@pytest.mark.parametrize("format_", ["STANDARD", "LARGE_PRINT"])
def test_a_letter_is_shown_as_its_pdf(
    ada: Membership, sign_in: Callable[[Membership], Any], person: str, format_: str
) -> None:
    address = reverse("letters:version_proof", args=[the("first-advice-letter").pk])
    answer = sign_in(ada).get(address, {"person": person, "format": format_})
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_a_translation_is_checked_by_somebody_and_approved_by_a_second_person(
    ada: Membership, sign_in: Callable[[Membership], Any]
) -> None:
    english = the("first-advice-sms")
    mine, add = sign_in(ada), reverse("letters:translate", args=[english.pk])
    lost = mine.post(add, {"language": "ur", "body": "NHS"})
    assert "The English has “((practice_name))”, and the translation does not." in text(lost)
    shown = text(mine.post(add, {"language": "ur", "body": URDU, "is_machine_made": "on"}, follow=True))
    assert "A machine made this translation" in shown
    assert 'lang="ur" dir="rtl"' in shown
    translation = Translation.objects.get(language="ur")
    approve = reverse("letters:approve_translation", args=[translation.pk])
    colleague = sign_in(clinician("Bea Roy"))
    assert "Enter who has read it beside the English" in text(colleague.post(approve, {"checked_by": ""}))
    done = text(colleague.post(approve, {"checked_by": "Q. Translator"}, follow=True))
    assert "People whose language is Urdu get it" in done
    assert "Read beside the English by Q. Translator" in done
    assert "English, Urdu" in text(colleague.get(reverse("letters:templates")))


def test_drafts_can_be_withdrawn_once(ada: Membership, sign_in: Callable[[Membership], Any]) -> None:
    mine = sign_in(ada)
    for name, draft in (("withdraw_version", drafted(ada)), ("withdraw_translation", translated(ada))):
        address = reverse(f"letters:{name}", args=[draft.pk])
        assert "Draft withdrawn" in text(mine.post(address, follow=True))
        assert "A colleague has withdrawn this already" in text(mine.post(address, follow=True))


PAGES = ["templates", "draft_template", "template_version", "version_proof", "translate", "translation"]
BUTTONS = ["approve_version", "withdraw_version", "approve_translation", "withdraw_translation"]


@pytest.mark.parametrize("role", [role for role in Role if not role.startswith("CENTRAL_")])
def test_other_roles_are_refused(ada: Membership, sign_in: Callable[[Membership], Any], role: Role) -> None:
    version, translation = drafted(ada), translated(ada)
    other = sign_in(MembershipFactory(role=role))
    for name in [*PAGES, *BUTTONS]:
        args: dict[str, list[Any]] = {"templates": [], "draft_template": ["first-advice-sms"]}
        key = translation.pk if "translation" in name else version.pk
        address = reverse(f"letters:{name}", args=args.get(name, [key]))
        answer = other.post(address) if name in BUTTONS else other.get(address)
        assert answer.status_code == 403, name


def test_what_is_not_there_is_not_found(ada: Membership, sign_in: Callable[[Membership], Any]) -> None:
    mine = sign_in(ada)
    for name in ("template_version", "version_proof", "translate", "translation", "translation_proof"):
        assert mine.get(reverse(f"letters:{name}", args=[987654])).status_code == 404
    assert mine.get(reverse("letters:draft_template", args=["no-such-letter"])).status_code == 404
    assert mine.get(reverse("letters:version_proof", args=[the("first-advice-sms").pk])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible(
    transactional_db: None, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    ada, bea = clinician("Ada Obi"), clinician("Bea Roy")
    client.force_login(bea.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(reverse("letters:templates"))
    axe(page)  # there are none yet
    load_templates(at=NOON)
    version, translation = drafted(ada), translated(ada)
    letter = drafted(ada, "first-advice-letter", "Dear ((name)),\n\n# What to do\n\n* Stay in.\n* Call us.")
    for name, args in (
        ("templates", []),
        ("template_version", [version.pk]),
        ("template_version", [letter.pk]),
        ("draft_template", ["first-advice-letter"]),
        ("translate", [version.pk]),
        ("translation", [translation.pk]),
    ):
        page.goto(reverse(f"letters:{name}", args=args))
        axe(page)
    page.goto(reverse("letters:translation", args=[translation.pk]))
    page.get_by_role("button", name="Approve this translation").click()
    axe(page)  # with an error

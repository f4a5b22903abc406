"""Drafts, approves and withdraws the words of letters and texts, and their translations.

One person drafts, another approves, and words never change after they were drafted (the database
holds all three). Whoever approves a translation says who has read it beside the English.
"""

from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Max

from cohort.rules import Channel
from letters import wording
from letters.models import Template, TemplateVersion, Translation
from letters.policies import check_can_approve_words, check_can_draft_words
from letters.proofs import proof_problems
from letters.queries.templates import in_use
from shielding.accounts.models import Membership

AnyWords = TypeVar("AnyWords", TemplateVersion, Translation)


class TemplateError(Exception):
    """What was asked cannot be done with these words; the message is fit to show."""


class NothingChanged(TemplateError):
    """The words are the same as the ones there are."""


class OwnDraft(TemplateError):
    """Whoever drafted words cannot approve them."""


class NotOpen(TemplateError):
    """Somebody has approved or withdrawn it already."""


class Overtaken(TemplateError):
    """A later version has been approved meanwhile."""


class NotApprovedYet(TemplateError):
    """A translation cannot be approved before its English."""


class TemplateNotUsable(ValueError):
    """The words cannot be used; `problems` says why, fit to show."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"{name}: {' '.join(problems)}")
        self.problems = problems


@transaction.atomic
def draft_version(*, template: Template, subject: str, body: str, by: Membership, at: datetime) -> TemplateVersion:
    """Adds a draft of a template's next version; nothing uses it before somebody else has approved it.

    Raises TemplateNotUsable, NothingChanged where an open draft or the version in use says the same, NotAllowed.
    """
    check_can_draft_words(by)
    subject, body = subject.strip(), wording.tidy(body)
    check_marks(template, subject=subject, body=body)
    check_proofs(TemplateVersion(template=template, subject=subject, body=body))
    Template.objects.select_for_update().get(pk=template.pk)  # versions are numbered one after another
    latest = in_use(template)
    same = template.versions.filter(subject=subject, body=body)
    if same.filter(approved_at=None, withdrawn_at=None).exists() or (latest and same.filter(pk=latest.pk).exists()):
        raise NothingChanged("These are the words that are there already. Change something first.")
    return template.versions.create(
        number=next_number(template), subject=subject, body=body, drafted_at=at, drafted_by=by.user
    )


@transaction.atomic
def draft_translation(
    *,
    version: TemplateVersion,
    language: str,
    subject: str,
    body: str,
    is_machine_made: bool,
    by: Membership,
    at: datetime,
) -> Translation:
    """Adds a draft of a version's words in another language. Raises TemplateNotUsable, NothingChanged, NotAllowed."""
    check_can_draft_words(by)
    subject, body = subject.strip(), wording.tidy(body)
    if found := wording.translation_problems(body, version.body, Channel(version.template.channel), subject=subject):
        raise TemplateNotUsable(version.template.name, found)
    check_proofs(Translation(version=version, language=language, subject=subject, body=body))
    TemplateVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    if version.translations.filter(language=language, subject=subject, body=body, withdrawn_at=None).exists():
        raise NothingChanged("These are the words that are there already. Change something first.")
    return version.translations.create(
        language=language,
        subject=subject,
        body=body,
        is_machine_made=is_machine_made,
        drafted_at=at,
        drafted_by=by.user,
    )


@transaction.atomic
def approve_version(*, version_id: int, by: Membership, at: datetime) -> TemplateVersion:
    """Lets batches planned from now on use a draft; not by whoever drafted it.

    Its letters are made for every sort of person first. Raises TemplateNotUsable where one is not as it
    must be, OwnDraft, NotOpen, Overtaken, NotAllowed.
    """
    check_can_approve_words(by)
    version = _open(TemplateVersion, version_id, by)
    if version.template.versions.filter(number__gt=version.number, approved_at__isnull=False).exists():
        raise Overtaken("A later version has been approved. Draft these words again if you want them back.")
    check_proofs(version)
    version.approved_at, version.approved_by = at, by.user
    version.save(update_fields=["approved_at", "approved_by"])
    return version


@transaction.atomic
def approve_translation(*, translation_id: int, checked_by: str, by: Membership, at: datetime) -> Translation:
    """Lets people with this language have a translation from now on; not by whoever drafted it.

    `checked_by` is who has read it beside the English. Raises TemplateNotUsable, OwnDraft, NotOpen,
    NotApprovedYet, NotAllowed; TemplateError without a `checked_by`.
    """
    check_can_approve_words(by)
    translation = _open(Translation, translation_id, by)
    if not checked_by.strip():
        raise TemplateError("Say who has read it beside the English.")
    if translation.version.approved_at is None:
        raise NotApprovedYet("Approve the English version first.")
    check_proofs(translation)
    translation.approved_at, translation.approved_by, translation.checked_by = at, by.user, checked_by.strip()
    translation.save(update_fields=["approved_at", "approved_by", "checked_by"])
    return translation


@transaction.atomic
def withdraw_version(*, version_id: int, by: Membership, at: datetime) -> TemplateVersion:
    """Takes a draft back, whoever drafted it. It stays on record. Raises NotOpen, NotAllowed."""
    check_can_draft_words(by)
    return _withdraw(TemplateVersion, version_id, by, at)


@transaction.atomic
def withdraw_translation(*, translation_id: int, by: Membership, at: datetime) -> Translation:
    """Takes the draft of a translation back, whoever drafted it. Raises NotOpen, NotAllowed."""
    check_can_draft_words(by)
    return _withdraw(Translation, translation_id, by, at)


def check_marks(template: Template, *, subject: str, body: str) -> None:
    """Raises TemplateNotUsable where the marks of a version are wrong."""
    if found := wording.problems(body, Channel(template.channel), subject=subject):
        raise TemplateNotUsable(template.name, found)


def check_proofs(words: TemplateVersion | Translation) -> None:
    """Raises TemplateNotUsable where what words make is not as it must be."""
    if found := proof_problems(words):
        template = words.template if isinstance(words, TemplateVersion) else words.version.template
        raise TemplateNotUsable(template.name, found)


def next_number(template: Template) -> int:
    """Returns the number of a template's next version. The caller has locked the template."""
    return (template.versions.aggregate(number=Max("number"))["number"] or 0) + 1


def _open(model: type[AnyWords], pk: int, by: Membership) -> AnyWords:
    words = _locked(model, pk)
    if words.drafted_by_id == by.user_id:
        raise OwnDraft("You drafted this, so somebody else must approve it.")
    return words


def _withdraw(model: type[AnyWords], pk: int, by: Membership, at: datetime) -> AnyWords:
    words = _locked(model, pk)
    words.withdrawn_at, words.withdrawn_by = at, by.user
    words.save(update_fields=["withdrawn_at", "withdrawn_by"])
    return words


def _locked(model: type[AnyWords], pk: int) -> AnyWords:
    words = model.objects.select_for_update().get(pk=pk)
    if not words.is_open:
        done = "approved" if words.approved_at else "withdrawn"
        raise NotOpen(f"A colleague has {done} this already.")
    return words

"""Drafting, signing off and publishing criteria. What is proposed is signed off by a second clinician.

`seen` is the number of the revision that somebody had before them: where the draft has another since,
nothing is changed and they are told (ChangedMeanwhile), so that two clinicians never overwrite each
other unseen.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cohort.drafting import DraftState, SignOffOutcome
from cohort.models import CodeListVersion, CriterionDraft, CriterionVersion, DraftRevision, SignOff
from cohort.models import Criterion as CriterionRow
from cohort.policies import check_can_change_criteria, check_can_sign_off_criteria
from cohort.queries.criteria import open_drafts
from cohort.queries.drafts import Opened, newest_lists, opened
from cohort.search.codec import to_json
from cohort.search.criteria import Criterion, UnknownCodeList, code_lists
from cohort.search.english import plain_english
from shielding.accounts.models import Membership, User


class DraftAlreadyOpen(Exception):
    """Another draft of the criterion is open; `draft` is it."""

    def __init__(self, draft: CriterionDraft) -> None:
        self.draft = draft
        super().__init__("A draft of this criterion is open already. Change that one.")


class CriterionExists(Exception):
    """There is a published criterion of that short name."""


class ChangedMeanwhile(Exception):
    """Somebody else changed the draft after it was read; `revision` is theirs."""

    def __init__(self, revision: DraftRevision) -> None:
        self.revision = revision
        super().__init__(f"{revision.changed_by} changed this draft while you had it open: {revision.what}.")


class DraftEnded(Exception):
    """The draft has been published or discarded, or is not in the state that the act needs; the message says which."""


class NothingChanged(Exception):
    """The draft says what is in force already."""


class Blocked(Exception):
    """Checks or assurance cases stand in the way; `obstacles` says which, a sentence each."""

    def __init__(self, obstacles: Sequence[str]) -> None:
        self.obstacles = list(obstacles)
        super().__init__(" ".join(self.obstacles))


class OwnChange(Exception):
    """Somebody wanted to sign off what they had changed themselves."""


class NotSignedOff(Exception):
    """No second clinician has approved this revision."""


class PublishedMeanwhile(Exception):
    """Another version of the criterion was published after the draft was begun."""


class ListsDisagree(Exception):
    """Other criteria in force, which the message names, read another version of a code list."""


@transaction.atomic
def begin_draft(*, criterion: CriterionRow, by: Membership | None, at: datetime) -> CriterionDraft:
    """Returns a new draft that says what is in force. Raises DraftAlreadyOpen where one is open."""
    user = check_can_change_criteria(by).user
    CriterionRow.objects.select_for_update().get(pk=criterion.pk)
    _check_none_open(criterion)
    version = criterion.versions.latest("number")
    draft = CriterionDraft.objects.create(criterion=criterion, based_on=version, begun_at=at, begun_by=user)
    lists = list(version.code_lists.all())
    what = f"Begun from version {version.number}"
    _add_revision(draft, version.definition, lists, what=what, user=user, at=at, is_change=False)
    return draft


@transaction.atomic
def begin_new_criterion(*, criterion: Criterion, by: Membership | None, at: datetime) -> CriterionDraft:
    """Returns the draft of a criterion that has never been published.

    Raises CriterionExists where one of that slug has been, DraftAlreadyOpen where somebody is drafting it.
    """
    user = check_can_change_criteria(by).user
    about = {"title": criterion.title, "tier": criterion.tier.value, "disease_group": criterion.disease_group}
    row, _ = CriterionRow.objects.get_or_create(slug=criterion.slug, defaults=about)
    CriterionRow.objects.select_for_update().get(pk=row.pk)
    if row.versions.exists():
        raise CriterionExists(f"There is a criterion called {row.title} already.")
    _check_none_open(row)
    draft = CriterionDraft.objects.create(criterion=row, begun_at=at, begun_by=user)
    lists = _pins(criterion, [])
    _add_revision(draft, to_json(criterion), lists, what="Begun anew", user=user, at=at, is_change=True)
    return draft


@transaction.atomic
def change_draft(
    *,
    draft_id: UUID,
    seen: int,
    criterion: Criterion,
    what: str,
    by: Membership | None,
    at: datetime,
    take_newest: Iterable[str] = (),
) -> DraftRevision:
    """Returns the revision after the change; a proposed draft is a draft again.

    Lists that it read keep their version, save those of `take_newest`; others are read at their
    newest. What changes nothing makes no revision. Raises ChangedMeanwhile, DraftEnded, and
    UnknownCodeList where it reads a list that is not there.
    """
    user = check_can_change_criteria(by).user
    draft, revision = _locked(draft_id, seen)
    if criterion.slug != draft.criterion.slug:
        raise ValueError("A draft stays with its criterion.")
    written = to_json(criterion)
    taken = set(take_newest)
    kept = [each for each in revision.code_lists.select_related("code_list") if each.code_list.slug not in taken]
    lists = _pins(criterion, kept)
    if _fingerprint(written, lists) == revision.fingerprint:
        return revision
    if draft.state == DraftState.PROPOSED:
        draft.state = DraftState.DRAFT.value
    return _add_revision(draft, written, lists, what=what, user=user, at=at, is_change=True)


@transaction.atomic
def propose(*, draft_id: UUID, seen: int, reason: str, by: Membership | None, at: datetime) -> CriterionDraft:
    """Returns the draft, waiting for a second clinician.

    Raises Blocked, NothingChanged, ChangedMeanwhile, DraftEnded.
    """
    check_can_change_criteria(by)
    draft, _ = _locked(draft_id, seen, needs=DraftState.DRAFT)
    found = _check_publishable(draft, at=at)
    if draft.based_on and _fingerprint(draft.based_on.definition, draft.based_on.code_lists.all()) == (
        found.revision.fingerprint
    ):
        raise NothingChanged("The draft says what is in force already. Change it, or discard it.")
    draft.state, draft.reason = DraftState.PROPOSED.value, reason
    draft.save(update_fields=["state", "reason"])
    return draft


@transaction.atomic
def sign_off(
    *, draft_id: UUID, seen: int, outcome: SignOffOutcome, comment: str, by: Membership | None, at: datetime
) -> SignOff:
    """Returns the sign-off; a declined draft is a draft again.

    Raises OwnChange where the clinician has changed the draft, Blocked where approving and
    something stands in the way, ChangedMeanwhile, DraftEnded.
    """
    user = check_can_sign_off_criteria(by).user
    draft, revision = _locked(draft_id, seen, needs=DraftState.PROPOSED)
    found = opened(draft, on=timezone.localdate(at))
    if not found.may_be_signed_off_by(user.pk):
        raise OwnChange("You have changed this draft, so somebody else must sign it off.")
    if outcome is SignOffOutcome.APPROVED and found.obstacles:
        raise Blocked(found.obstacles)
    made = SignOff.objects.create(
        revision=revision, fingerprint=revision.fingerprint, outcome=outcome.value, comment=comment, at=at, by=user
    )
    if outcome is SignOffOutcome.DECLINED:
        draft.state = DraftState.DRAFT.value
        draft.save(update_fields=["state"])
    return made


@transaction.atomic
def publish(*, draft_id: UUID, seen: int, by: Membership | None, at: datetime) -> list[CriterionVersion]:
    """Returns the versions published: this draft's, and those of signed-off drafts that must go with it.

    They must where they are in force with another version of a code list: a search takes one
    version of each. Raises NotSignedOff, Blocked, PublishedMeanwhile, ListsDisagree, ChangedMeanwhile, DraftEnded.
    """
    user = check_can_change_criteria(by).user
    draft, _ = _locked(draft_id, seen, needs=DraftState.PROPOSED)
    together = _together(draft, at=at)
    for each in together:
        _check_ready(each, at=at)
    return [_publish(each, user=user, at=at) for each in together]


@transaction.atomic
def discard(*, draft_id: UUID, seen: int, by: Membership | None, at: datetime) -> CriterionDraft:
    """Returns the draft, ended without being published; what it said is kept. Raises ChangedMeanwhile, DraftEnded."""
    user = check_can_change_criteria(by).user
    draft, _ = _locked(draft_id, seen)
    draft.state, draft.ended_at, draft.ended_by = DraftState.DISCARDED.value, at, user
    draft.save(update_fields=["state", "ended_at", "ended_by"])
    return draft


def _check_none_open(criterion: CriterionRow) -> None:
    there = open_drafts().filter(criterion=criterion).first()
    if there:
        raise DraftAlreadyOpen(there)


def _locked(draft_id: UUID, seen: int, *, needs: DraftState | None = None) -> tuple[CriterionDraft, DraftRevision]:
    """Returns the draft, locked, and its newest revision, where that is the one that was seen."""
    draft = CriterionDraft.objects.select_for_update().get(pk=draft_id)
    if draft.state in (DraftState.PUBLISHED, DraftState.DISCARDED):
        raise DraftEnded(f"This draft has been {draft.get_state_display().lower()}: it can no longer be changed.")
    revision = draft.revisions.select_related("changed_by").get(number=draft.revision_number)
    if revision.number != seen:
        raise ChangedMeanwhile(revision)
    if needs and draft.state != needs:
        waits = "waits for sign-off" if draft.state == DraftState.PROPOSED else "has not been proposed, or was declined"
        raise DraftEnded(f"This draft {waits}. Look at it again.")
    return draft, revision


def _add_revision(
    draft: CriterionDraft,
    definition: dict[str, object],
    lists: Sequence[CodeListVersion],
    *,
    what: str,
    user: User,
    at: datetime,
    is_change: bool,
) -> DraftRevision:
    draft.revision_number += 1
    draft.save(update_fields=["revision_number", "state"])
    revision = DraftRevision.objects.create(
        draft=draft,
        number=draft.revision_number,
        definition=definition,
        fingerprint=_fingerprint(definition, lists),
        what=what[:300],
        is_change=is_change,
        changed_at=at,
        changed_by=user,
    )
    revision.code_lists.set(lists)
    return revision


def _fingerprint(definition: object, lists: Iterable[CodeListVersion]) -> str:
    written = json.dumps([definition, sorted(version.pk for version in lists)], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _pins(criterion: Criterion, kept: Iterable[CodeListVersion]) -> list[CodeListVersion]:
    """Returns a version of each list that the criterion reads: the one kept, else the newest."""
    there = newest_lists() | {version.code_list.slug: version for version in kept}
    missing = sorted(code_lists(criterion) - there.keys())
    if missing:
        raise UnknownCodeList(f"There is no code list {', '.join(missing)}. Upload it first.")
    return [there[slug] for slug in sorted(code_lists(criterion))]


def _check_publishable(draft: CriterionDraft, *, at: datetime) -> Opened:
    found = opened(draft, on=timezone.localdate(at))
    if found.obstacles:
        raise Blocked(found.obstacles)
    return found


def _check_ready(draft: CriterionDraft, *, at: datetime) -> None:
    if not _check_publishable(draft, at=at).is_approved:
        raise NotSignedOff("A second clinician has not approved this draft as it stands.")
    newest = draft.criterion.versions.order_by("-number").first()
    if newest != draft.based_on:
        raise PublishedMeanwhile(
            f"Version {newest.number if newest else 0} of {draft.criterion} was published after this draft was begun."
            " Discard the draft, and make its changes to what is in force now."
        )


def _together(draft: CriterionDraft, *, at: datetime) -> list[CriterionDraft]:
    """Returns the draft and those that must be published with it, all locked. Raises ListsDisagree."""
    together = {draft.criterion_id: draft}
    waiting = [draft]
    while waiting:
        found = opened(waiting.pop(), on=timezone.localdate(at))
        pinned = {version.code_list_id: version.pk for version in found.code_lists}
        for version in found.disagreeing:
            if version.criterion_id in together:
                other = together[version.criterion_id]
            else:
                proposed = CriterionDraft.objects.filter(criterion=version.criterion, state=DraftState.PROPOSED)
                maybe = proposed.select_for_update().first()
                if maybe is None:
                    raise ListsDisagree(_disagreement(version))
                other = together[version.criterion_id] = maybe
                waiting.append(other)
            theirs = opened(other, on=timezone.localdate(at)).code_lists
            if any(pinned.get(each.code_list_id, each.pk) != each.pk for each in theirs):
                raise ListsDisagree(_disagreement(version))
    return list(together.values())


def _disagreement(version: CriterionVersion) -> str:
    return (
        f"“{version.criterion.title}” is in force with another version of a code list that this draft reads, and one"
        " search takes one version of each list. Begin a draft of it that reads the same version, and have it signed"
        " off: the two are then published together."
    )


def _publish(draft: CriterionDraft, *, user: User, at: datetime) -> CriterionVersion:
    found = opened(draft, on=timezone.localdate(at))
    assert found.sign_off is not None, "checked before"  # noqa: S101
    last_change = draft.revisions.filter(is_change=True).select_related("changed_by").latest("number")
    about = found.criterion
    row = CriterionRow.objects.select_for_update().get(pk=draft.criterion_id)
    row.title, row.tier, row.disease_group = about.title, about.tier.value, about.disease_group
    row.save(update_fields=["title", "tier", "disease_group"])
    version = CriterionVersion.objects.create(
        criterion=row,
        number=draft.based_on.number + 1 if draft.based_on else 1,
        definition=found.revision.definition,
        plain_english=plain_english(about),
        published_at=at,
        published_by=user,
        written_by=last_change.changed_by,
        signed_off_by=found.sign_off.by,
        reason=draft.reason,
    )
    version.code_lists.set(found.code_lists)
    draft.state, draft.ended_at, draft.ended_by = DraftState.PUBLISHED.value, at, user
    draft.save(update_fields=["state", "ended_at", "ended_by"])
    return version

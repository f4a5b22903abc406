"""Drafts: changed by one clinician, signed off by another, published once, and never overwritten unseen."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from cohort.actions import cases as case_actions
from cohort.actions import drafts as actions
from cohort.drafting import DRAFT_TRANSITIONS, DraftState, SignOffOutcome
from cohort.models import AssuranceCase, CriterionDraft, CriterionVersion, DraftRevision, SignOff
from cohort.queries.criteria import code_sets_for, criteria_in_force
from cohort.queries.drafts import opened
from cohort.search import criteria as model
from cohort.search.codec import from_json
from cohort.search.english import plain_english
from cohort.search.terms import Tier
from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed
from tests.cohort.criteria.conftest import ASTHMA, PREDNISOLONE, example, make_list, publish, with_count
from tests.cohort.factories import NOW

pytestmark = pytest.mark.django_db


def begin(asthma: CriterionVersion, by: Membership) -> CriterionDraft:
    return actions.begin_draft(criterion=asthma.criterion, by=by, at=NOW)


def change(draft: CriterionDraft, by: Membership, *, count: int = 3, seen: int | None = None) -> DraftRevision:
    return actions.change_draft(
        draft_id=draft.pk,
        seen=draft.revision_number if seen is None else seen,
        criterion=with_count(draft, count),
        what=f"Asked for {count}",
        by=by,
        at=NOW,
    )


def fresh(draft: CriterionDraft) -> CriterionDraft:
    return CriterionDraft.objects.get(pk=draft.pk)


def propose(draft: CriterionDraft, by: Membership) -> CriterionDraft:
    number = fresh(draft).revision_number
    return actions.propose(draft_id=draft.pk, seen=number, reason="Scotland asks for three.", by=by, at=NOW)


def sign(draft: CriterionDraft, by: Membership, outcome: SignOffOutcome = SignOffOutcome.APPROVED) -> SignOff:
    number = fresh(draft).revision_number
    comment = "" if outcome is SignOffOutcome.APPROVED else "Three is too few."
    return actions.sign_off(draft_id=draft.pk, seen=number, outcome=outcome, comment=comment, by=by, at=NOW)


def publish_draft(draft: CriterionDraft, by: Membership) -> list[CriterionVersion]:
    return actions.publish(draft_id=draft.pk, seen=fresh(draft).revision_number, by=by, at=NOW + timedelta(hours=1))


@pytest.fixture
def proposed(asthma: CriterionVersion, chidi: Membership) -> CriterionDraft:
    draft = begin(asthma, chidi)
    change(draft, chidi)
    return propose(draft, chidi)


def test_a_draft_begins_as_what_is_in_force(asthma: CriterionVersion, chidi: Membership) -> None:
    draft = begin(asthma, chidi)
    held = opened(draft, on=NOW.date())
    assert (held.criterion, held.revision.number, held.authors) == (ASTHMA, 1, set())
    assert set(held.code_lists) == set(asthma.code_lists.all())


def test_one_draft_of_a_criterion_is_open_at_a_time(
    asthma: CriterionVersion, chidi: Membership, ingrid: Membership
) -> None:
    draft = begin(asthma, chidi)
    with pytest.raises(actions.DraftAlreadyOpen) as error:
        begin(asthma, ingrid)
    assert error.value.draft == draft
    actions.discard(draft_id=draft.pk, seen=1, by=chidi, at=NOW)
    assert begin(asthma, ingrid) != draft


def test_a_signed_off_draft_is_the_next_version_and_names_author_and_signer(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership, asthma: CriterionVersion
) -> None:
    sign(proposed, ingrid)
    (version,) = publish_draft(proposed, chidi)
    assert (version.number, version.criterion) == (2, asthma.criterion)
    assert (version.written_by, version.signed_off_by, version.published_by) == (chidi.user, ingrid.user, chidi.user)
    assert from_json(version.definition) == with_count(proposed, 3)
    assert "3 or more different days" in version.plain_english
    assert version.reason == "Scotland asks for three."
    assert criteria_in_force() == [version]
    assert fresh(proposed).state == DraftState.PUBLISHED


def test_nobody_signs_off_their_own_change(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership, clinician: Any
) -> None:
    with pytest.raises(actions.OwnChange):
        sign(proposed, chidi)
    change(fresh(proposed), ingrid, count=2)
    propose(proposed, chidi)
    for author in (chidi, ingrid):
        with pytest.raises(actions.OwnChange):
            sign(proposed, author)
    assert sign(proposed, clinician("Dr Third")).outcome == SignOffOutcome.APPROVED


def test_the_database_too_refuses_an_authors_sign_off(proposed: CriterionDraft, chidi: Membership) -> None:
    revision = proposed.revisions.latest("number")
    with pytest.raises(IntegrityError, match="own change"):
        SignOff.objects.create(revision=revision, fingerprint="", outcome="APPROVED", at=NOW, by=chidi.user)


def test_without_a_sign_off_nothing_is_published(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership
) -> None:
    with pytest.raises(actions.NotSignedOff):
        publish_draft(proposed, chidi)
    with pytest.raises(IntegrityError, match="has not approved"), transaction.atomic():
        CriterionDraft.objects.filter(pk=proposed.pk).update(state="PUBLISHED")


def test_a_sign_off_is_of_one_revision_and_a_change_undoes_it(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership
) -> None:
    sign(proposed, ingrid)
    change(fresh(proposed), chidi, count=2)
    assert fresh(proposed).state == DraftState.DRAFT
    propose(proposed, chidi)
    with pytest.raises(actions.NotSignedOff):
        publish_draft(proposed, chidi)
    with pytest.raises(IntegrityError, match="has not approved"), transaction.atomic():
        CriterionDraft.objects.filter(pk=proposed.pk).update(state="PUBLISHED")


def test_a_declined_draft_is_a_draft_again_and_why_is_kept(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership
) -> None:
    sign(proposed, ingrid, SignOffOutcome.DECLINED)
    assert fresh(proposed).state == DraftState.DRAFT
    found = opened(fresh(proposed), on=NOW.date())
    assert found.sign_off is not None
    assert (found.is_approved, found.sign_off.comment) == (False, "Three is too few.")
    with pytest.raises(actions.DraftEnded, match="has not been proposed"):
        publish_draft(proposed, chidi)


def test_two_clinicians_never_overwrite_each_other_unseen(
    asthma: CriterionVersion, chidi: Membership, ingrid: Membership
) -> None:
    draft = begin(asthma, chidi)
    change(draft, ingrid, count=2)
    with pytest.raises(actions.ChangedMeanwhile, match=r"Dr Ingrid Solberg changed this draft.*Asked for 2"):
        change(draft, chidi, count=3, seen=1)
    assert "2 or more different days" in plain_english(opened(fresh(draft), on=NOW.date()).criterion)
    for act in (
        lambda: actions.propose(draft_id=draft.pk, seen=1, reason="Why", by=chidi, at=NOW),
        lambda: actions.discard(draft_id=draft.pk, seen=1, by=chidi, at=NOW),
    ):
        with pytest.raises(actions.ChangedMeanwhile):
            act()
    assert fresh(draft).revision_number == 2


def test_a_change_that_changes_nothing_makes_no_revision(asthma: CriterionVersion, chidi: Membership) -> None:
    draft = begin(asthma, chidi)
    actions.change_draft(draft_id=draft.pk, seen=1, criterion=ASTHMA, what="Nothing", by=chidi, at=NOW)
    assert fresh(draft).revision_number == 1
    with pytest.raises(actions.NothingChanged):
        propose(draft, chidi)


def test_an_error_blocks_proposing_and_says_what_to_do(asthma: CriterionVersion, chidi: Membership) -> None:
    draft = begin(asthma, chidi)
    rule = model.NoneOf((ASTHMA.rule,))
    actions.change_draft(
        draft_id=draft.pk, seen=1, criterion=replace(ASTHMA, rule=rule), what="Turned round", by=chidi, at=NOW
    )
    with pytest.raises(actions.Blocked, match="no records at all") as error:
        propose(draft, chidi)
    assert "put it under “All of these”" in error.value.obstacles[0]


def test_a_failing_case_blocks_and_shows_the_trace_even_when_it_comes_after_the_sign_off(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership
) -> None:
    sign(proposed, ingrid)
    criterion = proposed.criterion
    case_actions.add_case(criterion=criterion, case=example("Just", 3, expected=True), by=chidi, at=NOW)
    assert opened(fresh(proposed), on=NOW.date()).obstacles == []
    failing = case_actions.add_case(criterion=criterion, case=example("Nearly", 2, expected=True), by=chidi, at=NOW)
    with pytest.raises(actions.Blocked) as error:
        publish_draft(proposed, chidi)
    assert error.value.obstacles == [
        "Example person “Nearly”: expected on the list, but: Prednisolone dispensed: 2 of 3 needed."
    ]
    case_actions.retire_case(case_id=failing.pk, why="Two is not enough", by=ingrid, at=NOW)
    assert len(publish_draft(proposed, chidi)) == 1


def test_a_case_blocks_the_approval_but_not_the_declining(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership
) -> None:
    case = example("Nearly", 2, expected=True)
    case_actions.add_case(criterion=proposed.criterion, case=case, by=chidi, at=NOW)
    with pytest.raises(actions.Blocked, match="2 of 3 needed"):
        sign(proposed, ingrid)
    sign(proposed, ingrid, SignOffOutcome.DECLINED)


def test_what_was_published_meanwhile_is_not_overwritten(
    proposed: CriterionDraft, chidi: Membership, ingrid: Membership, asthma: CriterionVersion
) -> None:
    sign(proposed, ingrid)
    publish(ASTHMA, *asthma.code_lists.all(), number=2)
    with pytest.raises(actions.PublishedMeanwhile, match="Version 2 of Severe asthma"):
        publish_draft(proposed, chidi)


def test_a_published_draft_is_over(proposed: CriterionDraft, chidi: Membership, ingrid: Membership) -> None:
    sign(proposed, ingrid)
    publish_draft(proposed, chidi)
    for act in (lambda: change(fresh(proposed), chidi, count=2), lambda: publish_draft(proposed, chidi)):
        with pytest.raises(actions.DraftEnded, match="has been published"):
            act()


def test_criteria_that_share_a_list_are_published_together(
    asthma: CriterionVersion, chidi: Membership, ingrid: Membership
) -> None:
    tablets = asthma.code_lists.get(code_list__slug="prednisolone")
    card = model.Criterion(
        "steroid-card", "Steroid card", Tier.HIGH, "Corticosteroids", model.Records("Steroids", "prednisolone")
    )
    other = publish(card, tablets)
    newer = make_list("prednisolone", PREDNISOLONE, "325427002", number=2)

    def with_newest(version: CriterionVersion) -> CriterionDraft:
        draft = begin(version, chidi)
        what, held = "Took the newest list", from_json(version.definition)
        actions.change_draft(
            draft_id=draft.pk, seen=1, criterion=held, what=what, by=chidi, at=NOW, take_newest=["prednisolone"]
        )
        propose(draft, chidi)
        sign(draft, ingrid)
        return fresh(draft)

    first = with_newest(asthma)
    assert newer in opened(first, on=NOW.date()).code_lists
    with pytest.raises(actions.ListsDisagree, match="“Steroid card” is in force with another version"):
        publish_draft(first, chidi)
    second = with_newest(other)
    assert {version.criterion for version in publish_draft(first, chidi)} == {asthma.criterion, other.criterion}
    assert fresh(second).state == DraftState.PUBLISHED
    assert code_sets_for(criteria_in_force())["prednisolone"].version == newer.pk


def test_a_new_criterion_is_drafted_and_published_as_version_1(
    asthma: CriterionVersion, chidi: Membership, ingrid: Membership
) -> None:
    new = model.Criterion("steroids", "Steroids", Tier.VULNERABLE, "Steroids", model.Records("Any", "prednisolone"))
    draft = actions.begin_new_criterion(criterion=new, by=chidi, at=NOW)
    assert criteria_in_force() == [asthma]
    propose(draft, chidi)
    with pytest.raises(actions.OwnChange):
        sign(draft, chidi)
    sign(draft, ingrid)
    assert [version.number for version in publish_draft(draft, ingrid)] == [1]
    with pytest.raises(actions.CriterionExists):
        actions.begin_new_criterion(criterion=new, by=chidi, at=NOW)


def test_a_draft_that_reads_a_list_that_is_not_there_is_not_saved(asthma: CriterionVersion, chidi: Membership) -> None:
    new = model.Criterion("other", "Other", Tier.HIGH, "Other", model.Records("Any", "nowhere"))
    with pytest.raises(model.UnknownCodeList, match="nowhere"):
        actions.begin_new_criterion(criterion=new, by=chidi, at=NOW)
    assert not CriterionDraft.objects.exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CENTRAL_CLINICIAN])
def test_only_clinicians_draft_and_sign(
    role: Role, asthma: CriterionVersion, proposed: CriterionDraft, clinician: Any
) -> None:
    other = clinician("Somebody else", role)
    for act in (lambda: begin(asthma, other), lambda: sign(proposed, other), lambda: publish_draft(proposed, other)):
        with pytest.raises(NotAllowed):
            act()


@pytest.mark.parametrize("start", DraftState)
@pytest.mark.parametrize("end", DraftState)
def test_the_database_allows_the_legal_moves_alone(
    start: DraftState, end: DraftState, proposed: CriterionDraft, ingrid: Membership, chidi: Membership
) -> None:
    sign(proposed, ingrid)
    if start is not DraftState.PROPOSED:
        CriterionDraft.objects.filter(pk=proposed.pk).update(state=start.value)
    is_legal = start == end or end in DRAFT_TRANSITIONS[start]
    try:
        with transaction.atomic():
            CriterionDraft.objects.filter(pk=proposed.pk).update(state=end.value)
    except InternalError:
        assert not is_legal
    else:
        assert is_legal


@pytest.mark.parametrize("model_class", [DraftRevision, SignOff, AssuranceCase, CriterionDraft])
def test_what_was_said_is_never_changed_or_deleted(
    model_class: Any, proposed: CriterionDraft, ingrid: Membership, chidi: Membership
) -> None:
    sign(proposed, ingrid)
    case = example("Just", 3, expected=True)
    case_actions.add_case(criterion=proposed.criterion, case=case, by=chidi, at=NOW)
    with pytest.raises(InternalError, match=r"Cannot (update or )?delete"), transaction.atomic():
        model_class.objects.all()._raw_delete("default")
    if model_class is not CriterionDraft:
        field = {"DraftRevision": "what", "SignOff": "comment", "AssuranceCase": "why"}[model_class.__name__]
        with pytest.raises(InternalError, match="Cannot update"), transaction.atomic():
            model_class.objects.update(**{field: "Something else"})

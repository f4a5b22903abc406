"""Questions to a colleague, who has told the removed, drafts of removals, and coming back to be looked at again."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cohort.actions.decisions import NotToBeTold, confirm, mark_told, remove, remove_again
from cohort.actions.questions import AlreadyAnswered, NotAColleague, answer, ask
from cohort.models import ListEntry, ListFact, RemovalDraft, RemovalTold, ReviewQuery
from cohort.queries.questions import my_questions
from cohort.queries.review import version
from cohort.rules import RemovalReason
from shielding.audit.models import ReadLog
from tests.cohort.factories import NOW, Cast
from tests.cohort.validation.pages import REMOVAL, SignIn, decide, entry_of, person_url, read
from tests.cohort.validation.test_races import at_once

pytestmark = pytest.mark.django_db


def put(cast: Cast, question: str = "Still on dialysis?", to: Any = None) -> ReviewQuery:
    return ask(patient_id=cast.amina.pk, question=question, to=to, by=cast.staff, at=NOW)


def test_a_question_leaves_the_review_as_it_is_and_its_asker_sees_the_answer(cast: Cast, sign_in: SignIn) -> None:
    url = reverse("cohort:ask", args=[cast.practice_list.pk, cast.amina.pk])
    asked = sign_in(cast.staff).post(url, {"question": "Still on dialysis?", "to": str(cast.gp.user_id)}, follow=True)
    assert "Saved: you asked Dr Grace Okafor about Amina Khan." in read(asked)
    assert "Bob Marsh" in read(asked)
    assert entry_of(cast.amina).review_state == "TO_REVIEW"

    query = ReviewQuery.objects.get()
    client = sign_in(cast.gp)
    assert "For you to answer (1) Amina Khan Sam Hill asked Dr Grace Okafor" in read(
        client.get(reverse("cohort:questions"))
    )
    assert "An open question Sam Hill asked Dr Grace Okafor" in read(client.get(person_url(cast, cast.amina)))
    answered = client.post(reverse("cohort:answer", args=[query.pk]), {"answer": "No, not since May"}, follow=True)
    assert "Saved: Sam Hill can see your answer." in read(answered)
    again = client.post(reverse("cohort:answer", args=[query.pk]), {"answer": "Yes"}, follow=True)
    assert "Not saved: Dr Grace Okafor has answered this already." in read(again)

    client = sign_in(cast.staff)
    page = read(client.get(reverse("cohort:questions")))
    assert "Answered to you (1)" in page
    assert "No, not since May" in page
    assert "No, not since May" in read(client.get(person_url(cast, cast.amina)))
    assert cast.amina.pk in ReadLog.objects.filter(what="cohort:questions").latest("at").patient_ids


def test_the_same_question_asked_twice_is_one(cast: Cast) -> None:
    assert put(cast).pk == put(cast).pk
    assert put(cast, to=cast.gp.user_id).pk != put(cast).pk


def test_only_colleagues_are_asked_and_only_the_practice_answers(cast: Cast, sign_in: SignIn) -> None:
    with pytest.raises(NotAColleague):
        put(cast, to=cast.other_gp.user_id)
    with pytest.raises(ListEntry.DoesNotExist):
        ask(patient_id=cast.charlie.pk, question="Who?", to=None, by=cast.gp, at=NOW)
    query = put(cast)
    with pytest.raises(ReviewQuery.DoesNotExist):
        answer(query_id=query.pk, answer="No", by=cast.other_gp, at=NOW)
    client = sign_in(cast.other_gp)
    assert client.get(reverse("cohort:answer", args=[query.pk])).status_code == 404
    assert "Amina" not in read(client.get(reverse("cohort:questions")))
    for name in ("cohort:ask", "cohort:removal_draft", "cohort:every_rule", "cohort:told"):
        url = reverse(name, args=[cast.practice_list.pk, cast.amina.pk])
        assert client.post(url, {"question": "x", "seen": "x"}).status_code in {404, 405}
        assert client.get(url).status_code in {404, 405}
    assert client.get(reverse("cohort:to_tell", args=[cast.practice_list.pk])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_counts(cast: Cast) -> None:
    query = put(cast)
    results = at_once(
        *[lambda by=by: answer(query_id=query.pk, answer=str(by.user), by=by, at=NOW) for by in (cast.gp, cast.staff)]
    )
    assert sorted(type(result).__name__ for result in results) == [AlreadyAnswered.__name__, ReviewQuery.__name__]


def test_who_may_answer_what(cast: Cast) -> None:
    to_all, to_gp = put(cast), put(cast, to=cast.gp.user_id)
    assert set(my_questions(cast.gp).to_me) == {to_all, to_gp}
    mine = my_questions(cast.staff)
    assert (mine.to_me, set(mine.to_others)) == ([], {to_all, to_gp})


def take_off(cast: Cast, *, told: bool, reason: RemovalReason = RemovalReason.LOW_RISK, **more: Any) -> ListEntry:
    seen = version(entry_of(cast.bob))
    details = {"detail": "", "is_patient_told": told, "by": cast.gp, "at": NOW, "seen": seen, **more}
    return remove(entry_id=cast.bob.pk, reason=reason, **details)


def test_who_told_the_removed_and_when_is_kept(cast: Cast) -> None:
    take_off(cast, told=True, told_by="Dr Reed", told_date=NOW.date())
    told = RemovalTold.objects.get()
    assert (told.told_by, told.told_date, told.recorded_by) == ("Dr Reed", NOW.date(), cast.gp.user)
    with pytest.raises(NotToBeTold):
        mark_told(entry_id=cast.bob.pk, told_by="Dr Reed", told_date=NOW.date(), by=cast.gp, at=NOW)


def test_the_removed_wait_to_be_told_until_somebody_says_who_told_them(cast: Cast, sign_in: SignIn) -> None:
    take_off(cast, told=False)
    client = sign_in(cast.staff)
    here = reverse("cohort:to_tell", args=[cast.practice_list.pk])
    page = read(client.get(here))
    assert "still to be told (1)" in page
    assert "Marsh, Bob" in page
    url = reverse("cohort:told", args=[cast.practice_list.pk, cast.bob.pk])
    assert "Enter who told them" in read(client.post(url, {}))
    today = timezone.localdate()
    day = {"told_date_day": today.day, "told_date_month": today.month, "told_date_year": today.year}
    page = read(client.post(url, {"told_by": "Dr Reed", **day}, follow=True))
    assert "Saved: Bob Marsh has been told." in page
    assert "Everybody removed from this list has been told." in page
    assert "They have been told by Dr Reed" in read(client.get(person_url(cast, cast.bob)))
    assert "is not waiting to be told" in read(client.post(url, {"told_by": "Dr Reed", **day}, follow=True))


@pytest.mark.parametrize("reason", [RemovalReason.DIED])
def test_the_dead_are_not_told(cast: Cast, reason: RemovalReason) -> None:
    take_off(cast, told=False, reason=reason)
    with pytest.raises(NotToBeTold):
        mark_told(entry_id=cast.bob.pk, told_by="Dr Reed", told_date=NOW.date(), by=cast.gp, at=NOW)


def draft(client: Any, cast: Cast, **typed: str) -> int:
    url = reverse("cohort:removal_draft", args=[cast.practice_list.pk, cast.bob.pk])
    data = {"seen": version(entry_of(cast.bob)), "reason": "OTHER", "detail": "Half a", **typed}
    return int(client.post(url, data).status_code)


def test_a_draft_is_its_writers_own_and_goes_with_the_decision(cast: Cast, sign_in: SignIn) -> None:
    assert draft(sign_in(cast.staff), cast) == 204
    assert "Half written" in read(sign_in(cast.staff).get(person_url(cast, cast.bob)))
    assert "Half written" not in read(sign_in(cast.gp).get(person_url(cast, cast.bob)))
    client = sign_in(cast.staff)
    assert draft(client, cast, reason="", detail="") == 204
    assert not RemovalDraft.objects.exists()
    assert draft(client, cast, reason="ADDED_BY_MISTAKE") == 400
    assert draft(client, cast) == 204
    decide(client, cast, cast.bob, **REMOVAL)
    assert not RemovalDraft.objects.exists()
    assert draft(client, cast, seen="TO_REVIEW//1") == 204  # sent before the decision, come after it
    assert not RemovalDraft.objects.exists()


def look_again(cast: Cast, why: str = "HOSPITAL_DISAGREES") -> None:
    ListEntry.objects.filter(pk=cast.bob.pk).update(recheck=why, recheck_at=NOW)


def test_somebody_to_be_looked_at_again_is_settled_by_the_same_decision(cast: Cast, sign_in: SignIn) -> None:
    confirm(entry_id=cast.bob.pk, by=cast.gp, at=NOW, seen=version(entry_of(cast.bob)))
    look_again(cast, "REASON_NEW")
    client = sign_in(cast.gp)
    assert "Look again. The search has found another reason" in read(client.get(person_url(cast, cast.bob)))
    decide(client, cast, cast.bob)
    assert (entry_of(cast.bob).recheck, entry_of(cast.bob).review_state) == ("", "CONFIRMED")
    assert ListFact.objects.filter(patient=cast.bob, source="GP").count() == 2


def test_the_removed_are_left_off_as_they_were_removed(cast: Cast, sign_in: SignIn) -> None:
    take_off(cast, told=True, told_by="Dr Reed", told_date=NOW.date())
    look_again(cast)
    client = sign_in(cast.staff)
    assert "Leave them off the list" in read(client.get(person_url(cast, cast.bob)))
    decide(client, cast, cast.bob, decision="remove_again")
    entry = entry_of(cast.bob)
    assert (entry.recheck, entry.removal_reason, entry.reviewed_by) == ("", "LOW_RISK", cast.staff.user)
    assert [told.told_by for told in RemovalTold.objects.all()] == ["Dr Reed", "Dr Reed"]
    seen = version(entry)
    remove_again(entry_id=cast.bob.pk, by=cast.staff, at=NOW, seen=seen)
    assert ListFact.objects.filter(patient=cast.bob, source="GP").count() == 2


def test_keys_are_switched_off_for_one_user_in_one_browser(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    elsewhere = client.post(reverse("cohort:keys"), {"keys": "off", "back": "https://example.com/"})
    assert elsewhere["Location"] == reverse("cohort:keys")
    assert 'data-keys="off"' in client.get(person_url(cast, cast.bob)).content.decode()
    client.force_login(cast.staff.user)
    assert 'data-keys="on"' in client.get(person_url(cast, cast.bob)).content.decode()

"""Reminders: which is due, that each goes once, and that none says anything about a patient."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import InternalError, transaction

from cohort.actions import late
from cohort.actions.late import Sent, send_reminders
from cohort.late import ReminderKind, reminders_due
from cohort.models import PracticeList, Reminder
from cohort.tasks import remind_practices
from shielding.accounts.models import Membership, Role
from tests.cohort.factories import NOW, MembershipFactory, fill_list
from tests.cohort.oversight.scene import care_system, lead, practice_list

SOON, TODAY, OVERDUE, ESCALATED = ReminderKind
DUE = date(2020, 3, 20)


@pytest.mark.parametrize(
    ("days_left", "escalate_after", "expected"),
    [
        (7, 2, []),
        (3, 2, []),
        (2, 2, [SOON]),
        (1, 2, [SOON]),  # the first was missed
        (0, 2, [TODAY]),
        (-1, 2, [OVERDUE]),
        (-2, 2, [OVERDUE, ESCALATED]),
        (-30, 2, [OVERDUE, ESCALATED]),
        (-1, 1, [OVERDUE, ESCALATED]),
        (0, 0, [TODAY]),  # nobody is told of a list that is not late
    ],
)
def test_what_is_due(days_left: int, escalate_after: int, expected: list[ReminderKind]) -> None:
    found = reminders_due(DUE, DUE - timedelta(days=days_left), days_before=2, escalate_after_days=escalate_after)
    assert found == expected


def send(days: int = 0) -> Sent:
    return send_reminders(now=lambda: NOW + timedelta(days=days))


@pytest.fixture
def gp(db: None) -> Membership:
    return MembershipFactory(user__email="gp@example.test")


@pytest.fixture
def due(gp: Membership) -> PracticeList:
    """A list that is due on the day of the tests."""
    made = practice_list(0)
    PracticeList.objects.filter(pk=made.pk).update(practice=gp.organisation)
    made.refresh_from_db()
    return made


def kept() -> list[tuple[str, str]]:
    return list(Reminder.objects.order_by("pk").values_list("kind", "state"))


def test_a_practice_is_reminded_before_on_and_after_the_day_once_each(due: PracticeList, gp: Membership) -> None:
    staff = MembershipFactory(organisation=gp.organisation, role=Role.PRACTICE_STAFF)
    MembershipFactory(organisation=gp.organisation, role=Role.COORDINATOR)
    MembershipFactory(organisation=gp.organisation, ended_at=NOW)
    MembershipFactory(organisation=gp.organisation, user__is_active=False)
    for days in (-3, -2, -2, -1, 0, 0, 1, 1):
        send(days)
    assert kept() == [("DUE_SOON", "SENT"), ("DUE_TODAY", "SENT"), ("OVERDUE", "SENT")]
    assert [message.subject for message in mail.outbox] == [
        "Shielding: Your list is due soon",
        "Shielding: Your list is due today",
        "Shielding: Your list is overdue",
    ]
    assert {address for message in mail.outbox for address in message.to} == {gp.user.email, staff.user.email}
    assert "is due on 20 March 2020, in 2 days" in mail.outbox[0].body
    assert "was due on 20 March 2020, and is 1 day overdue" in mail.outbox[2].body
    assert f"/lists/{due.pk}/sign-off/" in mail.outbox[0].body


def test_no_e_mail_says_anything_about_a_patient(due: PracticeList) -> None:
    due.practice.name, due.practice.ics = "Smith & Sons", care_system()
    due.practice.save()
    lead(due.practice.ics)
    fill_list(due, 3)
    send()
    send(5)
    assert len(mail.outbox) == 3  # due today, overdue, and to the lead
    for message in mail.outbox:
        assert "Smith & Sons" in message.body
        for entry in due.entries.select_related("patient"):
            for word in (entry.patient.family_name, entry.patient.nhs_number, str(entry.pk)):
                assert word not in message.body
        assert "3 people" not in message.body


def test_nobody_is_reminded_of_a_list_that_is_signed_off_or_of_a_closed_practice(gp: Membership) -> None:
    done = practice_list(0, submitted_at=NOW, submitted_by=gp.user)
    closed = practice_list(0, practice__closed_date=NOW.date())
    for each in (done, closed):
        MembershipFactory(organisation=each.practice)
    assert send() == Sent()


def test_a_list_that_gets_more_time_is_reminded_anew(due: PracticeList) -> None:
    send()
    PracticeList.objects.filter(pk=due.pk).update(due_date=NOW.date() + timedelta(days=2))
    assert send() == Sent(sent=1)
    assert kept() == [("DUE_TODAY", "SENT"), ("DUE_SOON", "SENT")]


def test_a_practice_nobody_can_be_written_to_at_is_kept_and_tried_again(db: None) -> None:
    alone = practice_list(0)
    assert send() == Sent(nobody=1)
    assert kept() == [("DUE_TODAY", "NOBODY")]
    MembershipFactory(organisation=alone.practice)
    assert send() == Sent(sent=1)
    assert kept() == [("DUE_TODAY", "SENT")]


def test_what_could_not_be_sent_is_tried_again_and_the_rest_goes_on(
    due: PracticeList, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = practice_list(0)
    MembershipFactory(organisation=other.practice, user__email="other@example.test")
    real = late.EmailMessage.send

    def refuse(self: Any, *args: Any) -> Any:
        if "gp@example.test" in self.to:
            raise ConnectionRefusedError("gp@example.test")
        return real(self, *args)

    monkeypatch.setattr(late.EmailMessage, "send", refuse)
    assert send() == Sent(sent=1, failed=1)
    assert "gp@example.test" not in caplog.text
    monkeypatch.undo()
    assert send() == Sent(sent=1)
    assert {state for _, state in kept()} == {"SENT"}


def test_one_that_a_worker_died_sending_is_left_for_a_person(
    due: PracticeList, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(self: Any) -> None:
        raise Killed

    monkeypatch.setattr(late.EmailMessage, "send", die)
    with pytest.raises(Killed):
        send()
    monkeypatch.undo()
    assert send() == Sent()
    assert kept() == [("DUE_TODAY", "CLAIMED")]


def test_a_care_system_is_told_once_in_one_e_mail_of_its_own_practices(db: None) -> None:
    north, south = care_system(), care_system("South care system")
    lead(north)
    for ics, name in ((north, "Elm Surgery"), (north, "Oak Surgery"), (south, "Harbour Practice")):
        practice_list(-2, ics=ics, practice__name=name, practice__phone="01632 960001")
    practice_list(-1, ics=north, practice__name="Ash Surgery")
    send()
    send()
    (message,) = mail.outbox
    assert "Elm Surgery" in message.body
    assert "Oak Surgery" in message.body
    assert "01632 960001" in message.body
    for name in ("Harbour Practice", "Ash Surgery"):
        assert name not in message.body
    states = Reminder.objects.filter(kind="ESCALATED").values_list("practice_list__practice__name", "state")
    assert dict(states) == {"Elm Surgery": "SENT", "Oak Surgery": "SENT", "Harbour Practice": "NOBODY"}
    send(1)
    assert "Ash Surgery" in mail.outbox[-1].body
    assert "Elm Surgery" not in mail.outbox[-1].body


def test_a_reminder_that_went_never_goes_back(due: PracticeList) -> None:
    send()
    with pytest.raises(InternalError, match="transition"), transaction.atomic():
        Reminder.objects.update(state="CLAIMED", sent_at=None, written_to=0)


def test_the_task_does_it(due: PracticeList) -> None:
    PracticeList.objects.update(due_date=date(2020, 1, 1))
    remind_practices()
    assert ("OVERDUE", "SENT") in kept()

"""docs/pictures.md shows every page of validation: UPDATE_PICTURES=1 takes its pictures anew."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from cohort.actions.bulk import confirm_together
from cohort.actions.criteria import load_criteria_set
from cohort.actions.decisions import confirm, remove
from cohort.actions.hospitals import lists
from cohort.actions.late import send_reminders
from cohort.actions.questions import ask
from cohort.long_lists import TRIES
from cohort.models import Extract, HospitalList, ListEntry, Patient, PracticeList
from cohort.queries.review import version
from cohort.rules import RemovalReason
from cohort.search.reference import Person, Record
from cohort.search.terms import SexCode, Source
from coordinators.actions import conferences
from coordinators.conference_rules import ConferenceState
from coordinators.rules import NeedKind
from letters.actions.templates import load_templates
from letters.tasks import work_outbox
from shielding.demo.processes import ROOT
from tests.cohort.factories import (
    NOW,
    Cast,
    MembershipFactory,
    OrganisationFactory,
    PracticeListFactory,
    SearchRunFactory,
    fill_list,
    make_cast,
)
from tests.cohort.hospitals.scene import AMINA, BOB, DORA, STRANGER, entry_of, make_scene
from tests.cohort.hospitals.test_reading_lists import as_csv
from tests.cohort.oversight.scene import care_system, lead, operator, put
from tests.cohort.search.extracts import write_records
from tests.cohort.validation.conftest import HUGO, register
from tests.cohort.validation.test_spreadsheet import REMOVED, as_file, rows_of
from tests.coordinators.meeting import make_meeting, somebody
from tests.journeys.album import MOMENT, Album, album, check

__all__ = ["album", "register"]
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
LARGEST_FOLDER = 3_500_000
GIVEN = ("Ada", "Ben", "Cora", "Dev", "Ella", "Femi", "Gwen", "Harun", "Iris", "Jack", "Kofi", "Lena", "Mary")
FAMILY = ("Abara", "Bell", "Clarke", "Dutta", "Evans", "Ford", "Grant", "Hughes", "Iqbal", "Jones", "Kaur")


def name_people(practice_list: PracticeList) -> None:
    """Gives people made by the dozen names of their own."""
    for number, patient in enumerate(Patient.objects.filter(given_name="Dana").order_by("family_name")):
        patient.given_name = GIVEN[number % len(GIVEN)]
        patient.family_name = FAMILY[number % len(FAMILY)]
        patient.birth_date = patient.birth_date.replace(year=1930 + number % 60, day=1 + number % 28)
        patient.save()


def decide(cast: Cast, state: str, *, count: int) -> list[ListEntry]:
    """Has the practice's staff decide about the next people to review."""
    others = [cast.amina.pk, cast.bob.pk]
    entries = list(cast.practice_list.entries.filter(review_state="TO_REVIEW").exclude(pk__in=others))[:count]
    for entry in entries:
        if state == "CONFIRMED":
            confirm(entry_id=entry.pk, by=cast.staff, at=MOMENT, seen=version(entry))
        else:
            remove(
                entry_id=entry.pk,
                reason=RemovalReason.LOW_RISK,
                detail="",
                is_patient_told=False,
                by=cast.staff,
                at=MOMENT,
                seen=version(entry),
            )
    return entries


def test_the_practices_pages(album: Album, register: Callable[..., None], tmp_path: Path, settings: Any) -> None:
    cast, page = make_cast(), album.page
    for count, group in ((9, "Respiratory (severe asthma)"), (8, "Transplants (solid)"), (7, "Blood cancers")):
        fill_list(cast.practice_list, count, group=group)
    name_people(cast.practice_list)
    on_list, amina = [cast.practice_list.pk], [cast.practice_list.pk, cast.amina.pk]
    one_list = reverse("cohort:list", args=on_list)
    load_criteria_set(at=NOW)
    known = {"given_name": "Amina", "family_name": "Khan", "birth_date": cast.amina.birth_date, "sex": "F"}
    register(cast.practice, nhs_number=cast.amina.nhs_number, **known)
    records = (Record("SNOMED", "70536003", cast.amina.birth_date + timedelta(days=19_000), Source.GP),)
    write_records(
        settings.EXTRACT_STORE / Extract.objects.get().folder / "records-000-of-001.parquet",
        {int(cast.amina.nhs_number): Person(cast.amina.birth_date, SexCode.FEMALE, records)},
    )
    album.sign_in(cast.gp)
    album.take("practice-lists", reverse("cohort:lists"))
    decide(cast, "CONFIRMED", count=5)
    asked = ask(patient_id=cast.bob.pk, question="Is he still on azathioprine?", to=None, by=cast.staff, at=MOMENT)
    album.take("practice-list", one_list)

    album.take("practice-person", reverse("cohort:person", args=amina))
    page.keyboard.press("r")
    page.keyboard.press("3")
    page.keyboard.press("y")
    album.take("practice-remove")
    album.take("practice-every-rule", reverse("cohort:every_rule", args=amina))
    album.take("practice-amend", reverse("cohort:amend", args=amina))
    album.take("practice-ask", reverse("cohort:ask", args=amina))
    album.take("practice-questions", reverse("cohort:questions"))
    album.take("practice-answer", reverse("cohort:answer", args=[asked.pk]))
    album.take("practice-keys", reverse("cohort:keys"))

    together = list(cast.practice_list.entries.filter(review_state="TO_REVIEW").exclude(pk=cast.amina.pk))[:5]
    picked = {entry.pk: version(entry) for entry in together}
    receipt = confirm_together(list_id=cast.practice_list.pk, seen=picked, by=cast.gp, at=MOMENT)
    album.take("practice-confirmed-together", reverse("cohort:receipt", args=[*on_list, receipt.pk]))

    album.take("practice-spreadsheet", reverse("cohort:spreadsheet", args=on_list))
    rows = [row for row in rows_of(cast) if not row["Decision"]][:6]
    for row, said in zip(rows, ("confirm", "confirm", "remove", "perhaps", "", ""), strict=False):
        row |= REMOVED if said == "remove" else {"Decision": said}
    file = tmp_path / "list.csv"
    file.write_bytes(as_file(rows))
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check the file").press("Enter")
    page.get_by_role("heading", name="Check the file").wait_for()
    album.take("practice-spreadsheet-check")

    register(cast.practice, as_at=NOW.date())
    page.goto(reverse("cohort:add"))
    page.get_by_label("NHS number").fill(HUGO)
    for part, text in (("Day", "9"), ("Month", "1"), ("Year", "1970")):
        page.get_by_label(part, exact=True).fill(text)
    album.take("practice-add")
    page.get_by_role("button", name="Find the person").press("Enter")
    page.get_by_text("Is this who you mean?").wait_for()
    album.take("practice-add-why")

    removed = decide(cast, "REMOVED", count=3)
    album.take("practice-removed", f"{one_list}?tab=removed")
    album.take("practice-to-tell", reverse("cohort:to_tell", args=on_list))
    album.take("practice-told", reverse("cohort:told", args=[*on_list, removed[0].pk]))
    decide(cast, "CONFIRMED", count=30)
    for patient in (cast.amina, cast.bob):
        confirm(entry_id=patient.pk, by=cast.gp, at=MOMENT, seen=version(ListEntry.objects.get(pk=patient.pk)))
    album.take("practice-sign-off", reverse("cohort:submit", args=on_list))
    page.get_by_role("button", name="Sign off the list").press("Enter")
    page.get_by_text("Receipt number").wait_for()
    album.take("practice-signed-off")
    album.take("practice-open-again", reverse("letters:reopen_list", args=on_list))
    modules = "additions amendments bulk keys questions review sign_off spreadsheet telling worklists"
    check(album, "A practice", *(f"cohort.web.{module}" for module in modules.split()), "letters.web.lists")


def test_the_hospital_units_pages(album: Album, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, page = make_scene(settings), album.page
    load_templates(at=NOW)
    file = tmp_path / "list.csv"
    file.write_bytes(
        as_csv(
            scene.row(hospital_medicine="eculizumab"),
            scene.row(BOB, birth_date="1961-02-15"),
            scene.row(STRANGER, family_name="Moss", birth_date="1990-01-01"),
            scene.row(DORA),
            scene.row(action="?", birth_date="22326", reason=""),
        )
    )
    album.sign_in(scene.staff)
    page.goto(reverse("cohort:hospital_lists"))
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_role("button", name="Check the list").press("Enter")
    page.get_by_text("Nothing has been changed yet").wait_for()
    album.take("unit-check")
    page.get_by_role("button", name="Send the list").press("Enter")
    page.get_by_text("The list is sent").wait_for()
    album.take("unit-sent")
    album.take("unit-lists", reverse("cohort:hospital_lists"))
    album.take("unit-to-decide", reverse("cohort:hospital_to_decide"))
    page.get_by_role("button", name="Start with the first").press("Enter")
    page.get_by_role("heading", name="Who is").wait_for()
    album.take("unit-who-is-it")
    monkeypatch.setattr(lists, "AT_ONCE", 1)
    page.goto(reverse("cohort:hospital_lists"))
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_role("button", name="Check the list").press("Enter")
    page.get_by_text("The list is being checked").wait_for()
    album.take("unit-being-checked")
    # The page names it to be asked about.
    number = uuid.UUID(int=2020 << 112)
    failed = {"state": "FAILED", "failure": "STOPPED", "tried_at": MOMENT}
    HospitalList.objects.filter(state="WAITING").update(id=number, tries=TRIES, **failed)
    album.take("unit-failed", reverse("cohort:hospital_list", args=[number]))
    Patient.objects.filter(nhs_number=AMINA).update(unsafe_channels=[])
    album.take("unit-letters", reverse("letters:unit_letters"))
    album.client.post(reverse("letters:unit_letters"))
    work_outbox()
    entry = entry_of(AMINA)
    album.sign_in(scene.gp)
    album.take("practice-said-by-a-unit", reverse("cohort:person", args=[entry.practice_list_id, entry.pk]))
    album.take("practice-copies", reverse("letters:copies", args=[entry.pk]))
    check(album, "A hospital unit", "cohort.web.hospitals", "letters.web.hospitals")


def test_the_pages_of_oversight(album: Album) -> None:
    north, run, gp = care_system("North and Middle care system"), SearchRunFactory(), MembershipFactory()
    names = ("Elm", "Mill Lane", "Harbour", "Castle", "Riverside", "Orchard", "Abbey", "Station Road", "Priory")
    for number in range(36):
        practice = OrganisationFactory(
            ics=north,
            name=f"{names[number % 9]} {('Surgery', 'Practice', 'Medical Centre', 'Health Centre')[number // 9]}",
            phone=f"01632 96{number:04}",
        )
        one = PracticeListFactory(practice=practice, run=run, due_date=MOMENT.date() + timedelta(days=number % 9 - 5))
        put(one, gp, to_review=number % 7, confirmed=18, removed=2 + (28 if number == 5 else 0), added=number % 4)
        MembershipFactory(organisation=practice)
    send_reminders(now=lambda: MOMENT)
    album.sign_in(operator())
    album.take("oversight-practices", reverse("cohort:oversight"))
    album.take("oversight-rates", reverse("cohort:outliers"))
    album.take("oversight-late", reverse("cohort:late_policy", args=[run.pk]))
    album.sign_in(lead(north))
    album.take("oversight-area", reverse("cohort:area"))
    orchard = PracticeList.objects.get(practice__name="Orchard Surgery").practice
    album.sign_in(MembershipFactory(organisation=orchard, user__name="Dr Tom Reed"))
    album.take("practice-rates", reverse("cohort:rates"))
    check(album, "Oversight", "cohort.web.oversight", "cohort.web.rates")


def test_the_pages_of_case_conferences(album: Album) -> None:
    meeting = make_meeting(ConferenceState.HELD)
    pk, item = meeting.conference.pk, meeting.item.pk
    for name, born in (("Gus", 1931), ("Hal", 1928)):
        somebody(meeting.team, name, family_name="Moss", birth_date=NOW.date().replace(year=born), landline="")
    where: dict[str, Any] = {"conference_id": pk, "item_id": item, "by": meeting.gp, "at": NOW}
    conferences.write_needs(
        **where, needs=list(NeedKind)[:2], detail="Lives alone, second floor, no lift.", seen=meeting.item.version
    )
    conferences.write_note(**where, text="Frail. Home oxygen.", seen=0)
    parcel = meeting.agree()
    meeting.agree(meeting.gp_takes_part, what="Home visit by the practice nurse")
    planned = make_meeting(ConferenceState.PLANNED, meeting.team).conference

    def at(name: str, *args: Any) -> str:
        return reverse(f"coordinators:{name}", args=args)

    album.sign_in(meeting.gp)
    album.take("conferences", at("conferences"))
    album.take("conference-plan", at("conference_plan"))
    album.take("conference", at("conference", pk))
    album.take("conference-add", at("conference_add", pk))
    album.take("conference-attendance", at("conference_attendance", pk))
    album.take("conference-person", at("conference_person", pk, item))
    album.take("conference-minutes", at("conference_minutes", pk))
    album.take("conference-change", at("conference_change", planned.pk))
    album.take("conference-cancel", at("conference_cancel", planned.pk))
    album.take("conference-actions", at("agreed_actions"))
    album.sign_in(meeting.council)
    album.take("conference-person-for-the-council", at("conference_person", pk, item))
    album.take("conference-action", at("agreed_action", parcel.pk))
    modules = ("agreed_actions", "conference_people", "conferences")
    check(album, "Case conferences", *(f"coordinators.web.{module}" for module in modules))


def test_all_pictures_together_stay_small() -> None:
    files = list((ROOT / "docs" / "pictures").iterdir())
    assert sum(file.stat().st_size for file in files) < LARGEST_FOLDER

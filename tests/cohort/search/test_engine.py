"""What the engine promises beyond the reference: files, order, failure, and people it does not know."""

import contextlib
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cohort.search.criteria import Age, AllOf, AnyOf, CodeSet, Criterion, NotFollowedBy, Records, UnknownCodeList
from cohort.search.engine import NoPatients, discard, run_search
from cohort.search.reference import Person, Record
from cohort.search.terms import SexCode, Source, Threshold, Tier
from tests.cohort.search.extracts import Found, read, search, write_extract, write_patients

TODAY = date(2020, 3, 20)
SETS = {
    "list": CodeSet("list", 1, frozenset({("SNOMED", "1"), ("SNOMED", "2")}), frozenset({("OPCS-4", "A", "B")})),
    "other": CodeSet("other", 2, frozenset({("SNOMED", "3")})),
}
HIGH = Criterion("high", "High", Tier.HIGH, "A group", Records("A record", "list"))
OLD = Criterion("old", "Old", Tier.VULNERABLE, "Age", Age(at_least=Threshold(70, "a test")))
AMINA, BOB, CHARLIE = 9_990_000_018, 9_990_000_026, 9_990_000_034


def person(*records: Record, birth: date = date(1980, 1, 1)) -> Person:
    return Person(birth, SexCode.FEMALE, records)


def record(code: str = "1", day: date = TODAY, system: str = "SNOMED", episode: str = "") -> Record:
    return Record(system, code, day, Source.GP, episode)


def test_the_vulnerable_are_counted_and_not_named(tmp_path: Path) -> None:
    people = {AMINA: person(record()), BOB: person(birth=date(1940, 1, 1)), CHARLIE: person()}
    found = search(tmp_path, [HIGH, OLD], SETS, people, TODAY)
    assert found.flags == [(AMINA, "high")]
    assert set(found.evidence) == {(AMINA, "high")}
    assert found.counts == {("high", "Z00001"): 1, ("old", "Z00001"): 1}
    assert [row["person"] for row in found.people] == [AMINA]
    assert found.people[0] == {
        "person": AMINA,
        "given_name": "Amina",
        "family_name": "Begum",
        "birth_date": date(1980, 1, 1),
        "sex": "F",
        "practice_code": "Z00001",
        "address_lines": ["1 Mill Lane"],
        "postcode": "LU1 1AA",
    }


def test_people_without_demographics_are_numbered_and_not_flagged(tmp_path: Path) -> None:
    strangers = {BOB: person(record()), CHARLIE: person(record(day=TODAY + timedelta(1)))}
    found = search(tmp_path, [HIGH], SETS, {AMINA: person()}, TODAY, strangers=strangers)
    assert found.result.people_without_demographics == 1
    assert found.result.people_searched == 1
    assert found.flags == []


def run(tmp_path: Path, extracts: list[Path], out: str = "out", criteria: list[Criterion] | None = None) -> Found:
    result = run_search(
        criteria=criteria or [HIGH, OLD],
        code_sets=SETS,
        extracts=extracts,
        search_date=TODAY,
        out=tmp_path / out,
        progress=lambda percent, doing: None,
    )
    return read(tmp_path / out, result)


def records_alone(folder: Path, people: dict[int, Person]) -> Path:
    return write_extract(folder, {}, strangers=people)


def test_of_a_person_in_several_extracts_the_first_counts(tmp_path: Path) -> None:
    everybody = {AMINA: person(record()), BOB: person(record(), birth=date(1940, 1, 1))}
    newest, oldest, oldest_again = tmp_path / "new", tmp_path / "old", tmp_path / "older"
    write_extract(newest, {})
    write_patients(newest / "patients-000-of-001.parquet", {AMINA: person(birth=date(1940, 1, 1))}, "Z1", "Amina (new)")
    for folder in (oldest, oldest_again):
        write_extract(folder, {})
        write_patients(folder / "patients-000-of-001.parquet", everybody, "Z2", "From the old extract")
    records = records_alone(tmp_path / "records", everybody)
    found = run(tmp_path, [newest, oldest, oldest_again, records])
    assert found.result.people_searched == 2
    assert [(row["person"], row["given_name"]) for row in found.people] == [
        (AMINA, "Amina (new)"),
        (BOB, "From the old extract"),
    ]
    assert found.counts == {("high", "Z1"): 1, ("high", "Z2"): 1, ("old", "Z1"): 1, ("old", "Z2"): 1}


def test_records_of_several_extracts_count_together_and_a_search_may_have_none(tmp_path: Path) -> None:
    twice = Criterion("twice", "Twice", Tier.HIGH, "G", Records("R", "list", at_least=Threshold(2, "a test")))
    patients = tmp_path / "patients"
    patients.mkdir()
    write_patients(patients / "patients-000-of-001.parquet", {AMINA: person()})
    one = records_alone(tmp_path / "one", {AMINA: person(record("1"))})
    two = records_alone(tmp_path / "two", {AMINA: person(record("2"))})
    assert run(tmp_path, [patients, one], criteria=[twice]).flags == []
    assert run(tmp_path, [patients, one, two], criteria=[twice]).flags == [(AMINA, "twice")]
    assert run(tmp_path, [patients], criteria=[twice]).flags == []


def test_the_two_codes_of_a_pair_may_come_from_different_extracts(tmp_path: Path) -> None:
    one = write_extract(tmp_path / "one", {AMINA: person(record("A", system="OPCS-4", episode="e"))})
    two = records_alone(tmp_path / "two", {AMINA: person(record("B", system="OPCS-4", episode="e"))})
    assert run(tmp_path, [one]).flags == []
    assert run(tmp_path, [two, one]).flags == [(AMINA, "high")]


@pytest.mark.parametrize("counts", [(1, 1), (4, 4), (1, 8), (8, 2)])
def test_shards_change_nothing_and_extracts_may_have_different_numbers_of_them(
    tmp_path: Path, counts: tuple[int, int]
) -> None:
    people = {9_990_000_000 + n: person(*(record(str(1 + n % 2)) for _ in range(n % 5))) for n in range(40)}
    half = {n: person(record(day=TODAY - timedelta(n % 3))) for n in people if n % 3 == 0}
    whole = run(
        tmp_path, [write_extract(tmp_path / "a", people), records_alone(tmp_path / "b", half)], "whole", criteria=[HIGH]
    )
    first = write_extract(tmp_path / "c", people, count=counts[0])
    second = write_extract(tmp_path / "d", {}, strangers=half, count=counts[1])
    found = run(tmp_path, [first, second], criteria=[HIGH])
    assert found.flags == whole.flags
    assert found.evidence == whole.evidence
    assert found.counts == whole.counts
    assert sorted(row["person"] for row in found.people) == [row["person"] for row in whole.people]
    assert found.result == whole.result


def test_somebody_elses_episode_of_the_same_name_makes_no_pair(tmp_path: Path) -> None:
    people = {
        AMINA: person(record("A", system="OPCS-4", episode="e")),
        BOB: person(record("B", system="OPCS-4", episode="e")),
    }
    assert search(tmp_path, [HIGH], SETS, people, TODAY).flags == []


def test_records_without_an_episode_make_no_pair(tmp_path: Path) -> None:
    both = person(record("A", system="OPCS-4"), record("B", system="OPCS-4"))
    assert search(tmp_path, [HIGH], SETS, {AMINA: both}, TODAY).flags == []


def test_evidence_is_written_newest_first_and_the_twelve_newest_stay(tmp_path: Path) -> None:
    many = person(*(record(day=TODAY - timedelta(n)) for n in (7, 3, 11, 0, 13, 5, 9, 1, 12, 2, 8, 4, 10, 6)))
    found = search(tmp_path, [HIGH], SETS, {AMINA: many}, TODAY)
    assert [e.event_date for e in found.evidence[AMINA, "high"]] == [TODAY - timedelta(n) for n in range(12)]


def test_the_same_inputs_give_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    people = {9_990_000_000 + n: person(*(record(str(1 + n % 2)) for _ in range(n % 5))) for n in range(2000)}
    extract = write_extract(tmp_path / "extract", people, count=2)
    assert run(tmp_path, [extract], "one") == run(tmp_path, [extract], "two")
    for name in files(tmp_path / "one") - {"search.json"}:
        one, two = (pq.read_table(tmp_path / out / name).to_pylist() for out in ("one", "two"))
        assert one == two or name.startswith("state-"), name


def test_a_list_of_ten_thousand_codes_is_searched(tmp_path: Path) -> None:
    codes = frozenset(("SNOMED", str(n)) for n in range(1, 10_001))
    people = {9_990_000_000 + n: person(record(str(1 + 4 * n))) for n in range(3_000)}
    found = search(tmp_path, [HIGH], {"list": CodeSet("list", 1, codes)}, people, TODAY)
    assert len(found.flags) == 2_500


def test_two_clauses_that_ask_the_same_show_their_own_evidence_only(tmp_path: Path) -> None:
    one, same = Records("One name", "list"), Records("Another name", "list")
    rule = AnyOf((AllOf((same, Records("Never", "other"))), one))
    found = search(tmp_path, [Criterion("c", "C", Tier.HIGH, "G", rule)], SETS, {AMINA: person(record())}, TODAY)
    assert [row.clause for row in found.evidence[AMINA, "c"]] == ["One name"]
    rule = AllOf((one, same))
    found = search(tmp_path, [Criterion("c", "C", Tier.HIGH, "G", rule)], SETS, {AMINA: person(record())}, TODAY)
    assert [row.clause for row in found.evidence[AMINA, "c"]] == ["One name", "Another name"]


def test_only_counted_criteria_leave_no_evidence(tmp_path: Path) -> None:
    found = search(tmp_path, [OLD], SETS, {AMINA: person(birth=date(1940, 1, 1))}, TODAY)
    assert (found.flags, found.evidence, found.people) == ([], {}, [])
    assert found.result.counts == {"old": 1}


def test_a_quote_in_a_label_or_a_folder_does_no_harm(tmp_path: Path) -> None:
    rule = NotFollowedBy('Pregnant, by the woman\'s own "account"', "list", "other")
    criterion = Criterion("quoted", "Quoted", Tier.HIGH, "G", rule)
    folder = tmp_path / "it's here"
    folder.mkdir()
    found = search(folder, [criterion], SETS, {AMINA: person(record())}, TODAY)
    assert found.evidence[AMINA, "quoted"][0].clause == rule.label


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_progress_rises_to_a_hundred_and_an_earlier_result_is_replaced(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "extract", {AMINA: person(record())})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stale.parquet").touch()
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part" / "done-000-of-001.json").write_text("of another search")
    told: list[int] = []
    run_search(
        criteria=[HIGH],
        code_sets=SETS,
        extracts=[extract],
        search_date=TODAY,
        out=tmp_path / "out",
        progress=lambda percent, doing: told.append(percent),
        memory_limit="500MB",
        threads=2,
    )
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 100)
    assert files(tmp_path) == {"out", "extract"}
    assert files(tmp_path / "out") == {
        "search.json",
        "flags-000-of-001.parquet",
        "evidence-000-of-001.parquet",
        "people-000-of-001.parquet",
        "state-000-000-of-001.parquet",
        "details-000-000-of-001.parquet",
        "kept-000-000-of-001.parquet",
        "due-000-000-of-001.parquet",
        "counts.parquet",
        "groups.parquet",
        "combinations.parquet",
        "attrition.parquet",
        "tally-profiles.parquet",
        "tally-practices.parquet",
        "tally-groups.parquet",
    }


class Cancelled(Exception):
    pass


def search_until(folder: Path, extract: Path, stop_at: int) -> list[str]:
    doings: list[str] = []

    def stop(percent: int, doing: str) -> None:
        if percent >= stop_at:
            raise Cancelled
        doings.append(f"{percent} {doing}")

    with contextlib.suppress(Cancelled):
        run_search(
            criteria=[HIGH, OLD],
            code_sets=SETS,
            extracts=[extract],
            search_date=TODAY,
            out=folder / "out",
            progress=stop,
        )
    return doings


@pytest.mark.parametrize("stop_at", [0, 5, 40, 70, 92, 99])
def test_a_search_that_stopped_leaves_no_result_and_goes_on_where_it_was(tmp_path: Path, stop_at: int) -> None:
    people = {9_990_000_000 + n: person(record()) for n in range(40)}
    extract = write_extract(tmp_path / "extract", people, count=4)
    search_until(tmp_path, extract, stop_at)
    assert not (tmp_path / "out").exists()
    finished = {path.name for path in (tmp_path / ".out.part").glob("done-*.json")}
    assert len(finished) == min(stop_at // 25, 4) or stop_at == 99
    for path in (tmp_path / ".out.part").glob("flags-*.parquet"):
        if path.name.replace("flags", "done").replace("parquet", "json") in finished:
            path.chmod(0o444)  # a finished shard is not written again
    again = search_until(tmp_path, extract, 101)
    assert again
    found = run(tmp_path, [extract], "whole")
    assert read(tmp_path / "out", found.result) == found


def test_a_search_that_stopped_while_adding_up_adds_up_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = {9_990_000_000 + n: person(record()) for n in range(40)}
    extract = write_extract(tmp_path / "extract", people, count=4)
    with monkeypatch.context() as patched:
        patched.setattr("cohort.search.totals._write_attrition", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(tmp_path, [extract])
    assert run(tmp_path, [extract]) == run(tmp_path, [extract], "whole")


def test_a_search_that_is_discarded_leaves_nothing(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "extract", {AMINA: person(record())})
    search_until(tmp_path, extract, 50)
    discard(tmp_path / "out")
    assert files(tmp_path) == {"extract"}


def test_what_cannot_be_searched_is_refused(tmp_path: Path) -> None:
    extract = write_extract(tmp_path / "extract", {AMINA: person()})
    other = Criterion("high", "Other", Tier.HIGH, "G", Records("R", "not-there"))
    with pytest.raises(NoPatients):
        run(tmp_path, [])
    with pytest.raises(UnknownCodeList):
        run(tmp_path, [extract], criteria=[other])
    with pytest.raises(ValueError, match="slug of its own"):
        run(tmp_path, [extract], criteria=[HIGH, HIGH])
    assert files(tmp_path) == {"extract"}

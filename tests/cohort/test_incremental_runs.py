"""A search that begins from the last one lands what a full one would; and when it may begin there."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from cohort.actions import runs
from cohort.actions.criteria import load_criteria_set
from cohort.actions.extracts import load_extract
from cohort.models import CriterionVersion, Extract, Flag, ListEntry, SearchRun
from cohort.queries.incremental import results_folder
from cohort.tasks import resume_searches
from shielding.demo import path
from shielding.demo.country import Country, make_country
from shielding.ledger import ledger
from tests.cohort.factories import SearchRunFactory

pytestmark = pytest.mark.django_db
TABLES = {
    "counts": ("criterion_version", "practice", "people"),
    "groups": ("criterion_version", "age_band", "sex", "people"),
    "combinations": ("criterion_versions", "people"),
    "attrition": ("criterion_version", "path", "people", "remaining"),
}


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """The invented country's files, made once for this module."""
    return make_country(tmp_path_factory.mktemp("country"), people=500, as_at=timezone.localdate())


def search(days_ago: int = 0, *, is_full_wanted: bool = False) -> SearchRun:
    run = runs.request_search(
        search_date=timezone.localdate() - timedelta(days=days_ago),
        by=None,
        at=timezone.now(),
        is_full_wanted=is_full_wanted,
    )
    resume_searches()
    run.refresh_from_db()
    assert run.state == "LANDED", run.error
    return run


def load_without(source: Path, folder: Path, every: int, offset: int, as_at: Any) -> None:
    """Loads a supplier's extract without each `every`th record from `offset` on."""
    shutil.copytree(source, folder)
    for file in folder.glob("*.csv"):
        if file.name != "patients.csv":
            head, *lines = file.read_text().splitlines(keepends=True)
            file.write_text(head + "".join(line for n, line in enumerate(lines) if n % every != offset))
    load_extract(folder=folder, supplier=source.name, as_at=as_at, at=timezone.now())


def test_an_incremental_search_lands_what_a_full_one_would(country: Country, tmp_path: Path, settings: Any) -> None:
    settings.EXTRACT_SHARDS = 2
    path.load_reference_data(country)
    for source in (country.gp, country.dispensing, country.hospital):
        load_without(source, tmp_path / "1" / source.name, 5, 0, country.as_at)
    first = search(days_ago=20)
    assert (first.kind, first.kind_reason) == ("FULL", "No search has landed before.")
    for source in (country.gp, country.hospital):
        load_without(source, tmp_path / "2" / source.name, 5, 1, country.as_at)
    second = search()
    assert (second.kind, second.since) == ("INCREMENTAL", first)
    assert "Only those whose records, age or time windows changed" in second.kind_reason
    assert 0 < second.people_searched < first.people_searched
    assert second.flags.exists()
    assert second.ended_flags.exists()
    assert ListEntry.objects.filter(review_state="LAPSED").exists()

    third = search(is_full_wanted=True)
    assert (third.kind, third.kind_reason, third.since) == ("FULL", "A full search was asked for.", None)
    assert not third.flags.exists()
    assert not third.ended_flags.exists()
    assert third.people_flagged == second.people_flagged
    for name, columns in TABLES.items():
        incremental, full = (sorted(map(str, getattr(run, name).values_list(*columns))) for run in (second, third))
        assert incremental == full != []
    assert ledger().differences == []
    assert [folder.name for folder in settings.RUN_FOLDER.iterdir()] == [str(third.pk)]


@pytest.fixture
def landed() -> SearchRun:
    """A search that landed, with criteria and an extract, its results kept."""
    load_criteria_set(at=timezone.now())
    run = SearchRunFactory(search_date=timezone.localdate())
    run.criteria.set(CriterionVersion.objects.all())
    run.extracts.set([an_extract("gp")])
    results_folder(run.pk).mkdir(parents=True)
    return run


def an_extract(supplier: str, *, since: Extract | None = None) -> Extract:
    extract = Extract.objects.create(
        supplier=supplier,
        as_at=timezone.localdate(),
        sha256=f"{Extract.objects.count():064}",
        folder=f"folder-{Extract.objects.count()}",
        loaded_at=timezone.now(),
        changed_since=since,
    )
    folder = settings.EXTRACT_STORE / extract.folder
    folder.mkdir(parents=True)
    if since:
        (folder / "changed.parquet").touch()
    return extract


def kind_of_next(days_ago: int = 0) -> tuple[str, str]:
    day = timezone.localdate() - timedelta(days=days_ago)
    run = runs.request_search(search_date=day, by=None, at=timezone.now())
    return run.kind, run.kind_reason


def test_it_begins_from_the_last_where_every_extract_leads_back_to_it(landed: SearchRun) -> None:
    for _ in range(2):
        an_extract("gp", since=Extract.objects.order_by("-loaded_at").first())
    assert kind_of_next()[0] == "INCREMENTAL"


def no_results(run: SearchRun) -> None:
    results_folder(run.pk).rmdir()


def another_criterion(run: SearchRun) -> None:
    run.criteria.remove(run.criteria.first())


def a_new_source(run: SearchRun) -> None:
    an_extract("hospital")


def an_extract_that_leads_nowhere(run: SearchRun) -> None:
    an_extract("gp")


def a_lost_file(run: SearchRun) -> None:
    extract = an_extract("gp", since=Extract.objects.get())
    (settings.EXTRACT_STORE / extract.folder / "changed.parquet").unlink()


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (no_results, "are no longer kept"),
        (another_criterion, "The criteria have changed"),
        (a_new_source, "hospital is new"),
        (an_extract_that_leads_nowhere, "not known who changed in the records of gp"),
        (a_lost_file, "not known who changed in the records of gp"),
    ],
)
def test_everybody_is_searched_where_it_cannot_and_the_run_says_why(
    landed: SearchRun, happened: Callable[[SearchRun], None], said: str
) -> None:
    happened(landed)
    kind, reason = kind_of_next()
    assert kind == "FULL"
    assert said in reason


def test_a_search_of_an_earlier_day_is_full(landed: SearchRun) -> None:
    kind, reason = kind_of_next(days_ago=1)
    assert (kind, "of a later day" in reason) == ("FULL", True)


def test_a_search_that_the_engine_cannot_continue_searches_everybody(
    landed: SearchRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def engine(*, since: Any, **given: Any) -> Any:
        asked.append(since)
        if since:
            raise runs.CannotContinue("the number of shards changed since the search before")
        raise runs.Cancelled

    monkeypatch.setattr(runs, "run_search", engine)
    run = runs.request_search(search_date=timezone.localdate(), by=None, at=timezone.now())
    runs.carry_out(run_id=run.pk, now=timezone.now)
    run.refresh_from_db()
    assert (run.kind, run.since) == ("FULL", None)
    assert "the number of shards changed" in run.kind_reason
    assert [since is not None for since in asked] == [True, False]
    assert not Flag.objects.exists()

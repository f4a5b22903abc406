"""A worker killed in the middle of a search, or of landing it: the next worker lands the same whole result."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cohort.actions import runs
from cohort.models import Evidence, Flag, ListEntry, ListFact, PracticeList, SearchCount, SearchRun
from cohort.tasks import resume_searches
from shielding.demo import path
from shielding.demo.country import Country, make_country

pytestmark = pytest.mark.django_db(transaction=True)

#: A worker that says where it is, and waits there to be killed.
WORKER = """
import sys, time, uuid
import django
django.setup()
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pathlib import Path
database, settings.RUN_FOLDER, settings.EXTRACT_STORE = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
connection.settings_dict["NAME"] = database
from cohort.actions import landing, runs

def wait(*args, **given):
    print("here", flush=True)
    time.sleep(600)

if sys.argv[5] == "searching":
    tell = runs._tell
    runs._tell = lambda run_id, percent, doing: wait() if percent > 60 else tell(run_id, percent, doing)
else:
    landing._place_entries = wait
runs.carry_out(run_id=uuid.UUID(sys.argv[4]), now=timezone.now)
"""


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    """The invented country's files, made once for this module."""
    return make_country(tmp_path_factory.mktemp("country"), people=400, as_at=timezone.localdate())


def kill_a_worker(run: SearchRun, when: str, settings: Any) -> None:
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            WORKER,
            connection.settings_dict["NAME"],
            str(settings.RUN_FOLDER),
            str(settings.EXTRACT_STORE),
            str(run.pk),
            when,
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "shielding.settings"},
    )
    assert worker.stdout is not None
    said = worker.stdout.readline()
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)
    worker.stdout.close()
    assert said == "here\n"


def take_up(run: SearchRun) -> None:
    """Has another worker take the run up, as soon as PostgreSQL has seen that the first is gone."""
    for _ in range(100):
        resume_searches()
        run.refresh_from_db()
        if run.state != "RUNNING":
            break
        time.sleep(0.1)
    assert (run.state, run.error) == ("LANDED", "")


@pytest.mark.parametrize("when", ["searching", "landing"])
def test_a_run_whose_worker_was_killed_lands_whole_and_once(
    country: Country, settings: Any, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXTRACT_SHARDS = 4
    path.load_reference_data(country)
    path.load_extracts(country)
    run = runs.request_search(search_date=timezone.localdate(), by=None, at=timezone.now())
    kill_a_worker(run, when, settings)

    run.refresh_from_db()
    assert run.state == "RUNNING"
    assert not any(model.objects.exists() for model in (Flag, Evidence, ListEntry, ListFact, PracticeList, SearchCount))
    done = sorted(file.name for file in Path(settings.RUN_FOLDER).glob(".*.part/done-*.json"))
    if when == "searching":
        assert 0 < len(done) < 4
    else:
        assert (settings.RUN_FOLDER / str(run.pk)).is_dir()
        monkeypatch.setattr(runs, "run_search", lambda **given: pytest.fail("it was searched already"))
    take_up(run)
    assert run.people_flagged == country.flagged == ListEntry.objects.filter(is_on_list=True).count()
    found = Flag.objects.values_list("patient__nhs_number", "criterion_version__criterion__slug")
    assert len(found) == len(set(found)) > 0
    assert set(Flag.objects.values_list("run", "ended_in")) == {(run.pk, None)}
    assert not Flag.objects.filter(evidence=None).exists()
    counted = SearchCount.objects.values_list("criterion_version__criterion__slug", "people")
    assert {slug: sum(people for each, people in counted if each == slug) for slug, _ in counted} == {
        slug: people for slug, people in country.planted.items() if people
    }
    assert [folder.name for folder in settings.RUN_FOLDER.iterdir()] == [str(run.pk)]

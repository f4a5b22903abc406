"""The engine gives the reference's answer, evidence and counts included, whatever the criteria and records."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cohort.search.codec import from_json, to_json
from cohort.search.english import plain_english
from tests.cohort.search.extracts import check, search
from tests.cohort.search.strategies import CODE_SETS, SEARCH_DATES, criteria, people

#: Each example is one search for 20 criteria among 20 people or more: 52 of them make 1,000 criteria, though
#: Hypothesis begins with the simplest there is, 20 times the same.
#: Shrinking would search again some hundred times.
SLOW = settings(
    max_examples=52,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@SLOW
@given(st.data())
def test_the_engine_agrees_with_the_reference(data: st.DataObject) -> None:
    search_date = data.draw(st.sampled_from(SEARCH_DATES))
    wanted = data.draw(criteria(least=20, most=20))
    everybody = data.draw(people(search_date, least=20, most=25))

    with tempfile.TemporaryDirectory() as folder:
        found = search(Path(folder), wanted, CODE_SETS, everybody, search_date)

    check(found, wanted, everybody, search_date)


@settings(max_examples=100, deadline=None)
@given(criteria(most=3))
def test_a_criterion_survives_json_and_has_words(wanted: list) -> None:
    for criterion in wanted:
        assert from_json(to_json(criterion)) == criterion
        assert plain_english(criterion).startswith("People are ")

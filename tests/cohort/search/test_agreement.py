"""The engine gives the reference's answer, evidence and counts included, whatever the criteria and records."""

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cohort.search.codec import from_json, to_json
from cohort.search.english import plain_english
from cohort.search.reference import evaluate
from cohort.search.terms import Tier
from tests.cohort.search.extracts import PRACTICE, search
from tests.cohort.search.strategies import CODE_SETS, SEARCH_DATES, criteria, people

#: Each example is one search for up to 8 criteria among up to 25 people: 25 of them make some 1,500 cases.
#: Shrinking would search again some hundred times.
SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@SLOW
@given(st.data())
def test_the_engine_agrees_with_the_reference(data: st.DataObject) -> None:
    search_date = data.draw(st.sampled_from(SEARCH_DATES))
    wanted = data.draw(criteria(most=8))
    everybody = data.draw(people(search_date, most=25))

    with tempfile.TemporaryDirectory() as folder:
        found = search(Path(folder), wanted, CODE_SETS, everybody, search_date)

    flags, evidence, counts = [], {}, Counter()
    for number, person in everybody.items():
        for criterion in wanted:
            answer = evaluate(criterion, person, CODE_SETS, search_date)
            if answer.is_met:
                counts[criterion.slug, PRACTICE] += 1
            if answer.is_met and criterion.tier is Tier.HIGH:
                flags.append((number, criterion.slug))
                if answer.evidence:
                    evidence[number, criterion.slug] = answer.evidence
    assert found.flags == sorted(flags)
    assert found.evidence == evidence
    assert found.counts == dict(counts)
    assert found.result.counts == {c.slug: counts[c.slug, PRACTICE] for c in wanted}
    assert [row["person"] for row in found.people] == sorted({number for number, _ in flags})
    assert found.result.people_flagged == len(found.people)
    assert found.result.people_searched == len(everybody)
    assert found.result.people_without_demographics == 0


@settings(max_examples=100, deadline=None)
@given(criteria(most=3))
def test_a_criterion_survives_json_and_has_words(wanted: list) -> None:
    for criterion in wanted:
        assert from_json(to_json(criterion)) == criterion
        assert plain_english(criterion).startswith("People are ")

"""What is wrong with an address, in words, exactly where the database holds somebody for it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.addresses import address_faults
from cohort.models import Patient
from cohort.queries.holds import contact_problem, printed_address
from cohort.rules import Channel
from tests.cohort.factories import PatientFactory

NAME = "DANA ROE"


@pytest.mark.parametrize(
    ("lines", "begins"),
    [
        ([NAME, "1 MILL LANE", "SM1 1AA"], []),
        ([NAME, "1", "2 RD", "3", "4", "5", "SM11AA"], []),
        ([NAME, "ROYAL SIGNALS", "BFPO 57"], []),
        ([NAME, "1 (REAR)", "SM1 1AA"], []),
        ([NAME, "SM1 1AA"], ["Too few lines: 2 with the name and postcode. At least 3"]),
        ([], ["Too few lines: 0", "The last line, “”, is not a full UK postcode."]),
        ([NAME, "1", "2", "3", "4", "5", "6", "SM1 1AA"], ["Too many lines: 8 with the name and postcode. At most 7"]),
        ([NAME, "1 MILL LANE", "SUTTON"], ["The last line, “SUTTON”, is not a full UK postcode."]),
        ([NAME, "1 MILL LANE", "SM1 1CA"], ["The last line, “SM1 1CA”"]),
        (["(DANA ROE", "1 MILL LANE", "SM1 1AA"], ["The line “(DANA ROE” begins with (, which printers refuse."]),
        (["@A", "~", "SM1"], ["The line “@A” begins with @", "The line “~” begins with ~", "The last line, “SM1”"]),
        *[([NAME, f"{sign}1", "SM1 1AA"], [f"The line “{sign}1” begins with {sign},"]) for sign in '@()=[]"\\/,<>~'],
    ],
)
def test_what_is_wrong_is_said_of_every_line(lines: list[str], begins: list[str]) -> None:
    faults = address_faults(lines)
    assert len(faults) == len(begins)
    assert all(fault.startswith(beginning) for fault, beginning in zip(faults, begins, strict=True))


_LINES = st.one_of(
    st.sampled_from(
        ["1 Mill Lane", "Sutton", "", " ", "\t", "BFPO 57", "(rear)", "~", "\u017fm1 1aa", "a\nb", "Straße"]
    ),
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12),
    st.text(alphabet='@()=[]"\\/,<>~ a1\n\r\x0b\u2028\xa0', max_size=4),
)
_POSTCODES = st.one_of(
    st.sampled_from(["SM1 1AA", "sm11aa", "W1A 0AX", "", "GIR 0AA", "SM1 1CA", "BFPO 5", "ZZ99 3WZ"]),
    st.from_regex(r"[A-Za-z]{1,2}[0-9]{1,2} ?[0-9][A-Za-z]{2}", fullmatch=True),
)


@pytest.fixture
def anybody(db: None) -> Patient:
    patient: Patient = PatientFactory(given_name="Dana", family_name="Roe")
    return patient


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_LINES, max_size=8), postcode=_POSTCODES)
def test_words_say_nothing_exactly_where_the_database_finds_nothing(
    anybody: Patient, lines: list[str], postcode: str
) -> None:
    Patient.objects.filter(pk=anybody.pk).update(address_lines=lines, postcode=postcode)
    found = Patient.objects.annotate(hold=contact_problem(Channel.LETTER), printed=printed_address()).get(pk=anybody.pk)
    if found.hold != "NO_FIXED_ABODE":
        assert (found.hold == "") is (address_faults(found.printed.split("\n")) == [])

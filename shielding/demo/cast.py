"""The fixed cast: invented people who are in every invented country, whatever its size or seed.

Amina, Bob and Charlie are those of every test; the others show what holds a letter back.
"""

from dataclasses import dataclass
from datetime import date

#: The cast's numbers are 0 to 8; everybody else's start here, so that the cast may grow.
FIRST_NUMBER = 20


@dataclass(frozen=True)
class Role:
    """One of the cast. `practice` is 0 for the first practice; `risk` and `near_miss` are those of `plans`."""

    given_name: str
    family_name: str
    birth_date: date
    sex: str
    about: str
    practice: int = 0
    risk: str = ""
    near_miss: str = ""
    died_days_ago: int | None = None
    is_restricted: bool = False
    no_fixed_abode: bool = False
    unsafe_channels: str = ""
    safe_contact_instruction: str = ""
    mobile: str = ""


CAST: tuple[Role, ...] = (
    Role(
        "Amina",
        "Hussain",
        date(1971, 5, 12),
        "F",
        "severe asthma; on the list",
        risk="severe-asthma",
        mobile="07700 900101",
    ),
    Role("Bob", "Tarrant", date(1988, 11, 3), "M", "cystic fibrosis; his GP removes him", risk="severe-respiratory"),
    Role(
        "Charlie", "Whitcombe", date(1955, 2, 20), "M", "dialysis; the second practice's", practice=1, risk="dialysis"
    ),
    Role("Dora", "Pell", date(1938, 8, 30), "F", "died (formal notice)", risk="immunosuppression", died_days_ago=12),
    Role("Emeka", "Nwosu", date(1964, 1, 17), "M", "restricted record", risk="solid-transplant", is_restricted=True),
    Role(
        "Farah",
        "Siddiqui",
        date(1979, 6, 8),
        "F",
        "unsafe to contact by letter",
        risk="severe-asthma",
        unsafe_channels="LETTER",
        safe_contact_instruction="Phone before 15:00 on a school day. Ask for the pass phrase: blue kettle.",
        mobile="07700 900106",
    ),
    Role(
        "Gwen",
        "Llewellyn-Pryce",
        date(1959, 12, 1),
        "F",
        "no fixed abode",
        risk="immunosuppression",
        no_fixed_abode=True,
    ),
    Role("Hugo", "Marchetti", date(1992, 3, 25), "M", "not found: a hospital-only medicine; his GP adds him"),
    Role(
        "Ivy",
        "Threlfall",
        date(1967, 9, 14),
        "F",
        "not found: three prednisolone dispensings, not four",
        near_miss="three steroids",
    ),
)

"""The decisions of places: how a postcode is spelled, what a GSS code names, when one area took over from another.

Pure: no Django, no clock, no I/O.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

#: The shapes of Royal Mail's Programmers' Guide (A9, A99, AA9, AA99, A9A, AA9A, then 9AA without
#: C I K M O V in the last two letters) and GIR 0AA. The libraries on offer have stood still for years.
_SPELLED = re.compile(r"(?:[A-Z]{1,2}[0-9][A-Z0-9]?|GIR) [0-9][ABD-HJLNP-UW-Z]{2}")
_SPACE = re.compile(r"\s+")


def normal_postcode(text: str) -> str | None:
    """Returns a full postcode in its usual spelling (`SM1 1AA`), or None if it does not look like one.

    Case and spaces do not matter. It may still be a postcode that nobody has.
    """
    if _SPELLED.fullmatch(text):
        return text
    compact = _SPACE.sub("", text).upper()
    spelled = f"{compact[:-3]} {compact[-3:]}"
    return spelled if _SPELLED.fullmatch(spelled) else None


#: What the first three characters of a GSS code say (ONS Register of Geographic Codes).
_TIERS = {
    "E06": "SINGLE_TIER",
    "E07": "DISTRICT",
    "E08": "SINGLE_TIER",
    "E09": "SINGLE_TIER",
    "E10": "COUNTY",
    "N09": "SINGLE_TIER",
    "S12": "SINGLE_TIER",
    "W06": "SINGLE_TIER",
}


def tier_of(gss_code: str) -> str | None:
    """Returns the tier (a value of `LocalAuthority.Tier`), or None if no authority has a code like this.

    None too for the pseudo codes of the Channel Islands, the Isle of Man and "none" (`L99999999`).
    """
    if not re.fullmatch(r"[ENSW]\d{8}", gss_code) or gss_code.endswith("999999"):
        return None
    return _TIERS.get(gss_code[:3])


def took_over_on(last_or_next_day: date) -> date:
    """Returns the first day of the successor, from an end date as the files write it.

    Some give the last day of the old authority (31 March), some the first of the new (1 April); all
    successions so far began on the first of a month.
    """
    return last_or_next_day if last_or_next_day.day == 1 else last_or_next_day + timedelta(days=1)


#: When an authority got a new code because a boundary moved: the files name old and new, but give no
#: day. From the ONS Code History Database, by the old code.
RECODED_ON = {
    "E07000100": date(2012, 4, 1),  # St Albans
    "E07000104": date(2012, 4, 1),  # Welwyn Hatfield
    "E06000048": date(2013, 4, 1),  # Northumberland
    "E07000097": date(2013, 4, 1),  # East Hertfordshire
    "E07000101": date(2013, 4, 1),  # Stevenage
    "E08000020": date(2013, 4, 1),  # Gateshead
    "S12000015": date(2018, 2, 16),  # Fife
    "S12000024": date(2018, 2, 16),  # Perth and Kinross
    "S12000044": date(2019, 4, 1),  # North Lanarkshire
    "S12000046": date(2019, 4, 1),  # Glasgow City
    "E08000016": date(2025, 4, 1),  # Barnsley
    "E08000019": date(2025, 4, 1),  # Sheffield
}


@dataclass(frozen=True)
class Succession:
    """`successor` took over from `predecessor` on this day. Both are GSS codes."""

    predecessor: str
    successor: str
    on_date: date


class Successions:
    """Who took over from whom, to be asked about many areas."""

    def __init__(self, successions: Collection[Succession]) -> None:
        self._after: dict[str, list[Succession]] = {}
        self._before: dict[str, list[Succession]] = {}
        for succession in successions:
            self._after.setdefault(succession.predecessor, []).append(succession)
            # A county's districts are the predecessors of the land; the county is not.
            if tier_of(succession.predecessor) != "COUNTY":
                self._before.setdefault(succession.successor, []).append(succession)

    def as_of(self, gss_code: str, on: date) -> str | None:
        """Returns the authority that the area of this code lay in on a day.

        Follows those that had taken over by then. Where the code is younger than the day, goes back
        to the predecessor if there was one alone; of several nobody can say which, and the younger
        one is the answer. None where the area was split between several successors.
        """
        code, seen = gss_code, {gss_code}
        while taken := [step for step in self._after.get(code, []) if step.on_date <= on]:
            if len(taken) > 1 or taken[0].successor in seen:
                return None
            code = taken[0].successor
            seen.add(code)
        if code != gss_code:
            return code
        while len(before := self._before.get(code, [])) == 1 and before[0].on_date > on:
            code = before[0].predecessor
            if code in seen:
                return None
            seen.add(code)
        return code

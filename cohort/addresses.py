"""What printers take as an address, and what is wrong with one that they do not.

Pure: no Django, no clock, no I/O. `cohort.queries.holds` makes its patterns for the database of these,
so that what holds somebody and what their practice is told cannot differ.
"""

import re
from collections.abc import Sequence

#: A UK postcode in capitals, with or without its space. Source: the pattern the UK government published
#: with its bulk data transfer guidance (BS 7666); BFPO postcodes (BF1) fit it too.
POSTCODE = (
    r"(GIR ?0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9][0-9ABEHMNPRV-Y]?|[0-9][A-HJKPS-UW]) ?[0-9][ABD-HJLNP-UW-Z]{2})"
)
#: A forces address may end in its BFPO number in place of a postcode.
BFPO = r"BFPO ?(C/O ?)?[0-9]{1,4}"
#: No line may begin with one of these (domain, section 7). The order suits a character class.
FORBIDDEN_STARTS = r'][@()="\\/,<>~'
FEWEST_LINES, MOST_LINES = 3, 7

_LAST_LINE = re.compile(f"{POSTCODE}|{BFPO}")
_FORBIDDEN = re.compile(f"[{FORBIDDEN_STARTS}]")


def address_faults(lines: Sequence[str]) -> list[str]:
    """Returns what makes an address unusable, a sentence for each fault; none where it can be printed.

    `lines` are those printed in the window, in capitals: the name, the address lines and the postcode,
    without empty ones (`cohort.queries.holds.printed_address`).
    """
    faults = []
    if len(lines) < FEWEST_LINES:
        faults.append(f"Too few lines: {len(lines)} with the name and postcode. At least {FEWEST_LINES} are needed.")
    if len(lines) > MOST_LINES:
        faults.append(f"Too many lines: {len(lines)} with the name and postcode. At most {MOST_LINES} fit.")
    for line in lines[:-1]:
        if _FORBIDDEN.match(line):
            faults.append(f"The line “{line}” begins with {line[0]}, which printers refuse.")
    last = lines[-1] if lines else ""
    if not _LAST_LINE.fullmatch(last):
        faults.append(f"The last line, “{last}”, is not a full UK postcode.")
    return faults

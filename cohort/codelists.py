"""Reading code lists: which column holds what, what a code of each system looks like, pairs and ranges.

Columns are mapped by headers we know or by what the caller says, never guessed. Pure but for
reading the file: it hands back codes and a report.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from shielding.tables import Report, Table, WrongFile

SYSTEMS = ("SNOMED", "DMD", "BNF", "ICD-10", "OPCS-4", "CTV3", "READ2")
_SPELLINGS = {
    **{re.sub(r"\W", "", system): system for system in SYSTEMS},
    "SNOMEDCT": "SNOMED",
    "READV2": "READ2",
    "DMPLUSD": "DMD",
}


@dataclass(frozen=True)
class Code:
    """One code of a list. `paired_code` must be in the same hospital episode; empty for nearly all."""

    system: str
    code: str
    paired_code: str = ""
    term: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Returns what makes it the same code as another: everything but the term."""
        return self.system, self.code, self.paired_code


@dataclass(frozen=True)
class Shape:
    """Which columns hold the codes, each with its system; "" where the file or the caller must say it."""

    codes: tuple[tuple[str, str], ...]
    term: str = ""
    system: str = ""
    paired: str = ""


_CTV3 = Shape((("CTV3ID", "CTV3"),), term="CTV3PreferredTermDesc")
_MEDICINES = Shape((("id", "DMD"), ("bnf_code", "BNF")), term="nm")
_PRODUCTS = Shape((("snomed_id", "DMD"), ("bnf_code", "BNF")), term="dmd_name")

#: Headers known from real files. `vpid` (the product a medicine is a pack of) is not a code of the list.
SHAPES: dict[tuple[str, ...], Shape] = {
    ("system", "code", "paired_code", "term"): Shape((("code", ""),), "term", "system", "paired_code"),
    ("code", "term"): Shape((("code", ""),), "term"),
    ("code",): Shape((("code", ""),)),
    ("code", "term", "grouping_16_id", "grouping_6_id"): Shape((("code", ""),), "term"),
    ("Description", "Code", "Grouping_16", "Grouping_6"): Shape((("Code", ""),), "Description"),
    ("Code", "Code_Description", "DiseaseGroup", "CodeType"): Shape((("Code", ""),), "Code_Description", "CodeType"),
    ("CTV3ID", "CTV3PreferredTermDesc", "CTV3Source"): _CTV3,
    ("CTV3ID", "CTV3PreferredTermDesc"): _CTV3,
    ("", "CTV3ID", "CTV3PreferredTermDesc", "CTV3Source", "Category"): _CTV3,
    ("CTV3ID", "readterm/CTV3PreferredTermDesc", "CTV3Source"): replace(_CTV3, term="readterm/CTV3PreferredTermDesc"),
    ("CTV3Code", "Description", "CodeSource", "Category"): Shape((("CTV3Code", "CTV3"),), "Description"),
    ("icd10_code", "name"): Shape((("icd10_code", "ICD-10"),), "name"),
    ("id", "name", "active", "notes"): Shape((("id", "SNOMED"),), "name"),
    ("snomedcode", "Ethnicity", "Grouping_16", "Grouping_6"): Shape((("snomedcode", "SNOMED"),), "Ethnicity"),
    ("type", "id", "bnf_code", "nm"): _MEDICINES,
    ("dmd_type", "dmd_id", "dmd_name", "bnf_code"): Shape((("dmd_id", "DMD"), ("bnf_code", "BNF")), "dmd_name"),
    ("obj_type", "vpid", "snomed_id", "bnf_code", "dmd_name", "bnf_name", "form_route"): _PRODUCTS,
    ("", "obj_type", "vpid", "snomed_id", "bnf_code", "dmd_name"): _PRODUCTS,
}


def shape_of(
    table: Table, *, system: str = "", code_column: str = "", term_column: str = "", system_column: str = ""
) -> Shape:
    """Returns how to read the file: as the caller says if a code column is named, else by its header.

    Raises WrongFile for an unknown header, a column that is not there, a system that is not one of
    `SYSTEMS`, and where nothing says which system the codes are of.
    """
    if system and system_named(system) is None:
        raise WrongFile(f"{system} is not a code system: they are {', '.join(SYSTEMS)}.")
    if code_column:
        shape = Shape(((code_column, ""),), term_column, system_column)
    else:
        known = SHAPES.get(table.header)
        if known is None:
            raise WrongFile(
                f"{table.name} is not a code list of a known shape. {table.columns_in_words()}"
                " Name the ones to read with --code-column, --term-column, --system-column."
            )
        shape = replace(known, term=term_column or known.term, system=system_column or known.system)
    table.require(
        [name for name in (*(column for column, _ in shape.codes), shape.term, shape.system) if name],
        of="a code list with these columns",
    )
    if shape.system:
        return shape
    if any(not of for _, of in shape.codes):
        if not system:
            raise WrongFile(f"{table.name} does not say of which system its codes are: say it with --system.")
        return replace(shape, codes=tuple((column, of or system_named(system) or "") for column, of in shape.codes))
    if system and system_named(system) not in {of for _, of in shape.codes}:
        raise WrongFile(f"{table.name} has codes of {' and '.join(of for _, of in shape.codes)}, not of {system}.")
    return shape


def system_named(text: str) -> str | None:
    """Returns the system this names, of `SYSTEMS`, or None. `ICD10` and `dm+d` name one, `ICD-101` does not."""
    return _SPELLINGS.get(re.sub(r"\W", "", text.upper().replace("DM+D", "DMD")))


def read_codes(table: Table, shape: Shape, report: Report, *, split_by: str = "") -> dict[str, list[Code]]:
    """Returns the codes of the file by the value of the column `split_by` ("" without one), each code once.

    The first row that names a code gives its term. A row that adds no code is reported as a
    duplicate. Ranges come last, so that a code also named alone keeps its own term.
    """
    if split_by:
        table.require([split_by], of="a code list that can be split so")
    lists: dict[str, dict[tuple[str, str, str], tuple[int, Code]]] = {}
    ranges: list[tuple[int, str, Code]] = []
    for line, row in table.rows(report):
        group = row[split_by] if split_by else ""
        if split_by and not group:
            report.reject(line, split_by, "empty: the row belongs to no list")
            continue
        codes, problems = _codes_of_row(row, shape)
        for column, reason in problems:
            report.reject(line, column, reason)
        ranges += [(line, group, code) for code in codes if "-" in code.code]
        plain = [code for code in codes if "-" not in code.code]
        _add(lists.setdefault(group, {}), line, plain, shape, report)
    for line, group, code in ranges:
        _add(lists[group], line, list(expanded(code)), shape, report)
    report.counts["codes"] = sum(len(codes) for codes in lists.values())
    return {group: [code for _, code in codes.values()] for group, codes in lists.items() if codes}


def _add(
    codes: dict[tuple[str, str, str], tuple[int, Code]], line: int, found: list[Code], shape: Shape, report: Report
) -> None:
    before = len(codes)
    for code in found:
        codes.setdefault(code.key, (line, code))
    if found and len(codes) == before:
        report.reject(line, shape.codes[0][0], f"the same code as in line {codes[found[0].key][0]}")


def _codes_of_row(row: dict[str, str], shape: Shape) -> tuple[list[Code], list[tuple[str, str]]]:
    """Returns the codes of a row, a range as one code `X70-X74`, and what is wrong as (column, reason)."""
    codes: list[Code] = []
    problems: list[tuple[str, str]] = []
    term = row.get(shape.term, "")
    if len(term) > 300:
        return [], [(shape.term, "longer than 300 characters")]
    if not any(row[column] for column, _ in shape.codes):
        return [], [(shape.codes[0][0], "empty: there is no code")]
    for column, of in shape.codes:
        system = system_named(row[shape.system]) if shape.system else of
        if system is None:
            named = row[shape.system]
            problems.append((shape.system, f"“{named}” is not a code system: they are {', '.join(SYSTEMS)}"))
        elif row[column]:
            code = parsed(system, row[column], row.get(shape.paired, "") if shape.paired else "")
            if isinstance(code, str):
                problems.append((column, code))
            else:
                codes.append(replace(code, term=term))
    return codes, problems


#: What a code of each system looks like, and how that is said. A BNF code is a whole presentation.
#: ICD-10's fifth character and OPCS-4's fourth: NHS Classifications Browser, and annex B of the
#: Shielded Patient List, which has C8800, D46C and D47Z1.
_FORMS = {
    "ICD-10": (r"[A-Z]\d\d[0-9A-Z]{0,2}", "a letter, two digits and up to two characters more"),
    "OPCS-4": (r"[A-Z]\d\d\d?", "a letter and two or three digits"),
    "BNF": (r"\d{7}[0-9A-Z]{8}", "fifteen characters beginning with seven digits"),
    "CTV3": (r"(?=.{5}$)[0-9A-Za-z]+\.*", "five characters, dots at the end counted"),
    "READ2": (r"(?=.{5}$)[0-9A-Za-z]+\.*", "five characters, dots at the end counted"),
}
_CATEGORY = re.compile(r"[A-Z]\d\d")
_CLASSIFICATIONS = frozenset({"ICD-10", "OPCS-4"})


def parsed(system: str, text: str, paired: str = "") -> Code | str:
    """Returns the code in this cell, or why there is none.

    In ICD-10 and OPCS-4 the dot is left out (`J43.8` is J438), case does not matter, `B208,Y012` is
    a pair, and `X70-X74` a range of categories (kept as written: `expanded` makes codes of it).
    """
    if system not in _CLASSIFICATIONS:
        return _fault(system, text) or Code(system, text)
    parts = [part.strip().upper() for part in (f"{text},{paired}" if paired else text).split(",")]
    if len(parts) > 2:
        return f"“{text}” is more than a pair of codes"
    if "-" in text:
        ends = [end.strip() for end in parts[0].split("-")]
        if len(parts) > 1 or len(ends) != 2 or not all(_CATEGORY.fullmatch(end) for end in ends) or ends[0] >= ends[1]:
            return f"“{text}” is not a range from one three-character category to a later one"
        return Code(system, "-".join(ends))
    plain = [re.sub(r"^([A-Z]\d\d)\.", r"\1", part) for part in parts]
    fault = next(filter(None, (_fault(system, part) for part in plain)), "")
    if not fault and len(set(plain)) < len(plain):
        fault = f"“{text}” pairs a code with itself"
    return fault or Code(system, *plain)


def _fault(system: str, code: str) -> str:
    if system in {"SNOMED", "DMD"}:
        if not re.fullmatch(r"[1-9]\d{5,17}", code):
            return f"“{code}” is not a code of {system}: 6 to 18 digits"
        return "" if has_check_digit(code) else f"“{code}” is not a code of {system}: its check digit is wrong"
    form, words = _FORMS[system]
    return "" if re.fullmatch(form, code) else f"“{code}” is not a code of {system}: {words}"


def expanded(code: Code) -> Iterator[Code]:
    """Yields what a range of categories means: each category and everything that can stand below it.

    Below an OPCS-4 category are its ten fourth digits. Below an ICD-10 category are its ten fourth
    digits and the filler X of an undivided category, each alone and with a fifth digit. Codes that
    the classification does not use are among them and match nobody. Search matches codes
    whole, so they are all listed.
    """
    first, last = code.code.split("-")
    number, end = (ord(at[0]) * 100 + int(at[1:]) for at in (first, last))
    fourths = [*"0123456789", *("X" if code.system == "ICD-10" else "")]
    fifths = ["", *"0123456789"] if code.system == "ICD-10" else [""]
    for at in range(number, end + 1):
        category = f"{chr(at // 100)}{at % 100:02}"
        for below in ["", *("".join(pair) for pair in product(fourths, fifths))]:
            yield replace(code, code=category + below, term=f"In {code.code}: {code.term}".removesuffix(": ")[:300])


#: Verhoeff's dihedral check: the multiplication table of D5, and the permutation applied at each place.
_TIMES = [[(i + j) % 5 if j < 5 else (i + j) % 5 + 5 for j in range(10)] for i in range(5)] + [
    [(i - j) % 5 + 5 if j < 5 else (i - j) % 5 for j in range(10)] for i in range(5, 10)
]
_TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def has_check_digit(code: str) -> bool:
    """Returns whether the last digit of a SNOMED CT identifier is its Verhoeff check digit.

    It catches codes whose last digits a spreadsheet has turned into noughts (SNOMED CT Release File
    Specification, "Check-digit computation").
    """
    check = 0
    for place, digit in enumerate(reversed(code)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = _TURN[turned]
        check = _TIMES[check][turned]
    return check == 0

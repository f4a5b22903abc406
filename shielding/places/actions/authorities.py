"""Loads local authorities, their successors and resilience forums from the files that publish them.

No file has everything. Each shape is known by its header and says only what it knows: one that is
the best source of a thing sets it, the others fill what is empty, so that loading again in any
order changes nothing.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import phonenumbers
from django.db import transaction

from shielding.places.models import LocalAuthority, ResilienceForum, Successor
from shielding.places.rules import RECODED_ON, tier_of, took_over_on
from shielding.tables import Report, Table, WrongFile


@dataclass(frozen=True)
class _Shape:
    name: str
    columns: tuple[str, ...]
    load: "Callable[[Table, Report, _Register, dict[str, str]], None]"
    snac: tuple[str, str] | None = None  # the columns with SNAC and GSS code


class _Register:
    """The authorities as they stand, changed in memory and written once. Its transaction owns the rows."""

    def __init__(self) -> None:
        rows = LocalAuthority.objects.select_for_update().order_by("pk")
        self.authorities = {authority.gss_code: authority for authority in rows}
        self.successions = {(row.predecessor_id, row.successor_id): row for row in Successor.objects.all()}
        self.forums = {forum.code: forum for forum in ResilienceForum.objects.all()}
        self._new: set[str] = set()
        self._changed: set[str] = set()
        self._new_successions: list[Successor] = []

    def fill(self, gss_code: str, **values: object) -> None:
        """Sets what is still empty, making the authority if need be."""
        self.set(gss_code, **{k: v for k, v in values.items() if not getattr(self.authorities.get(gss_code), k, None)})

    def set(self, gss_code: str, **values: object) -> None:
        """Sets what is given and not empty, making the authority if need be."""
        if gss_code not in self.authorities:
            self.authorities[gss_code] = LocalAuthority(gss_code=gss_code, tier=tier_of(gss_code) or "")
            self._new.add(gss_code)
        authority = self.authorities[gss_code]
        for field, value in values.items():
            if value and getattr(authority, field) != value:
                setattr(authority, field, value)
                self._changed.add(gss_code)

    def succeed(self, predecessor: str, successor: str, on_date: date) -> None:
        """Notes that the successor took over, and that the predecessor ended the day before."""
        self.fill(predecessor, end_date=on_date - timedelta(days=1))
        known = self.successions.get((predecessor, successor))
        if known is None:
            known = Successor(predecessor_id=predecessor, successor_id=successor, on_date=on_date)
            self.successions[predecessor, successor] = known
            self._new_successions.append(known)

    def save(self, report: Report) -> None:
        """Hands down what successors share with predecessors, writes, and counts what is new and changed."""
        self._hand_down()
        changed = [self.authorities[code] for code in sorted(self._changed - self._new)]
        LocalAuthority.objects.bulk_create([self.authorities[code] for code in sorted(self._new)])
        LocalAuthority.objects.bulk_update(
            changed,
            ["name", "county", "resilience_forum", "phone", "website", "start_date", "end_date"],
            batch_size=500,
        )
        Successor.objects.bulk_create(self._new_successions)
        report.counts["authorities new"] += len(self._new)
        report.counts["authorities changed"] += len(changed)
        report.counts["successions new"] += len(self._new_successions)

    def _hand_down(self) -> None:
        """A successor has its predecessors' forum where those known agree; alone, their phone and page too.

        Lookups are of one year: without this every new council would be in no forum. A county has
        the forum that its districts' known ones agree on.
        """
        before: dict[str, list[LocalAuthority]] = {}
        successors: Counter[str] = Counter()
        for succession in sorted(self.successions.values(), key=lambda row: row.on_date):
            before.setdefault(succession.successor_id, []).append(self.authorities[succession.predecessor_id])
            successors[succession.predecessor_id] += 1
        for gss_code, predecessors in before.items():
            districts = [one for one in predecessors if one.tier != LocalAuthority.Tier.COUNTY]
            self.fill(gss_code, resilience_forum_id=_shared([one.resilience_forum_id for one in districts]))
            if len(predecessors) == 1 and successors[predecessors[0].gss_code] == 1:
                self.fill(gss_code, phone=predecessors[0].phone, website=predecessors[0].website)
        forums: dict[str, list[str | None]] = {}
        for authority in self.authorities.values():
            if authority.county_id:
                forums.setdefault(authority.county_id, []).append(authority.resilience_forum_id)
        for county, codes in forums.items():
            self.fill(county, resilience_forum_id=_shared(codes))


def _shared(values: list[str | None]) -> str | None:
    known = set(values) - {None}
    return known.pop() if len(known) == 1 else None


def load_local_authorities(*, tables: Sequence[Table]) -> list[Report]:
    """Loads these files and returns a report for each; one transaction a file, in the order that suits them.

    Raises WrongFile, before anything is written, for a file of no known shape, and for contact
    details (keyed by SNAC code) without a file beside them that says which SNAC code is whose.
    """
    shapes = [(_shape_of(table), table) for table in tables]
    snac: dict[str, str] = {}
    for shape, table in shapes:
        if shape.snac:
            snac_column, gss_column = shape.snac
            rows = table.rows(Report(table.name, shape.name))
            snac |= {row.get(snac_column, ""): row[gss_column] for _, row in rows if row[gss_column]}
    for shape, table in shapes:
        if shape.load is _load_contact_details and not snac:
            raise WrongFile(
                f"{table.name} is keyed by SNAC code: give the GOV.UK or the mySociety file in the same command."
            )
    reports = []
    for shape, table in sorted(shapes, key=lambda pair: _SHAPES.index(pair[0])):
        report = Report(table.name, shape.name)
        with transaction.atomic():
            register = _Register()
            shape.load(table, report, register, snac)
            register.save(report)
        reports.append(report)
    return reports


def _shape_of(table: Table) -> _Shape:
    for shape in _SHAPES:
        if table.has(shape.columns):
            return shape
    if _vintage(table):
        return _ONS
    known = "; ".join(f"{shape.name}: {', '.join(shape.columns)}" for shape in _SHAPES)
    raise WrongFile(f"{table.name} is not a file of authorities. {table.columns_in_words()} Known are {known}.")


def _usable(gss_code: str, column: str, line: int, report: Report) -> bool:
    if tier_of(gss_code):
        return True
    report.reject(line, column, f"“{gss_code}” is not the code of a local authority" if gss_code else "empty")
    return False


def _date(text: str, column: str, line: int, report: Report) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        report.reject(line, column, f"“{text}” is not a date; the rest of the row was used")
        return None


_NOT_COUNCILS = frozenset({"COMB", "SRA"})  # combined authorities, Greater London


def _load_mysociety(table: Table, report: Report, register: _Register, _snac: dict[str, str]) -> None:
    rows = list(table.rows(report))
    gss_of = {row["local-authority-code"]: row["gss-code"] for _, row in rows}
    for line, row in rows:
        gss_code = row["gss-code"]
        if row["local-authority-type"] in _NOT_COUNCILS:
            report.counts["rows about other bodies"] += 1
        elif _usable(gss_code, "gss-code", line, report):
            register.set(
                gss_code,
                name=row["official-name"],
                start_date=_date(row["start-date"], "start-date", line, report),
            )
            county = gss_of.get(row["county-la"], "")
            if tier_of(gss_code) == "DISTRICT" and tier_of(county) == "COUNTY":
                register.fill(gss_code, county_id=county)
    for line, row in rows:
        ended = _date(row["end-date"], "end-date", line, report) if tier_of(row["gss-code"]) else None
        if ended is None:
            continue
        register.fill(row["gss-code"], end_date=took_over_on(ended) - timedelta(days=1))
        for code in filter(None, row["replaced-by"].split(",")):
            successor = gss_of.get(code.strip(), "")
            if successor in register.authorities:
                register.succeed(row["gss-code"], successor, took_over_on(ended))
            else:
                report.reject(line, "replaced-by", f"no authority {code} in the file")


_GOVUK_TIERS = {"1": "COUNTY", "2": "DISTRICT", "3": "SINGLE_TIER"}


def _load_govuk(table: Table, report: Report, register: _Register, _snac: dict[str, str]) -> None:
    rows = list(table.rows(report))
    gss_of = {row["id"]: row["gss"] for _, row in rows}
    for line, row in rows:
        gss_code, tier = row["gss"], _GOVUK_TIERS.get(row["tier_id"])
        if not _usable(gss_code, "gss", line, report):
            continue
        if tier != tier_of(gss_code):
            # Real: North Yorkshire became a single-tier council and kept the county's code in this file.
            report.reject(line, "tier_id", f"{gss_code} is the code of a {tier_of(gss_code)}, tier_id says {tier}")
            continue
        register.fill(gss_code, name=row["name"])
        register.set(gss_code, website=row["homepage_url"])
        if row["parent_local_authority_id"]:
            county = gss_of.get(row["parent_local_authority_id"], "")
            if tier == "DISTRICT" and tier_of(county) == "COUNTY":
                register.set(gss_code, county_id=county)
            else:
                report.reject(line, "parent_local_authority_id", "not a county in this file; the rest was used")


def _load_all_codes(table: Table, report: Report, register: _Register, _snac: dict[str, str]) -> None:
    rows = [(line, row) for line, row in table.rows(report) if _usable(row["LADCD"], "LADCD", line, report)]
    has_succession = {predecessor for predecessor, _ in register.successions}
    for _, row in rows:
        register.fill(row["LADCD"], name=row["LADNM"])
        if tier_of(row["LADCD"]) == "DISTRICT" and tier_of(row["UTLACD"]) == "COUNTY":
            register.fill(row["UTLACD"], name=row["UTLANM"])
            register.set(row["LADCD"], county_id=row["UTLACD"])
    for line, row in rows:
        old, new = row["LADCD"], row["LADCD_ACTIVE"]
        # The file names the authority of today, which may be the successor's successor: what is known is better.
        if new in {"", old} or old in has_succession:
            continue
        end = register.authorities[old].end_date
        on_date = RECODED_ON.get(old) or (took_over_on(end) if end else None)
        if new not in register.authorities:
            report.reject(line, "LADCD_ACTIVE", f"“{new}” is not in the file")
        elif on_date is None:
            report.reject(
                line, "LADCD_ACTIVE", f"nobody says when {old} became {new}: load the mySociety file, which has dates"
            )
        else:
            register.succeed(old, new, on_date)


def _vintage(table: Table) -> str:
    """Returns the year in `LTLA21CD`, or "" if this is not such a file."""
    match = re.search(r"\bLTLA(\d\d)CD\b", " ".join(table.header))
    year = match[1] if match else ""
    return year if table.has([f"LTLA{year}NM", f"UTLA{year}CD", f"UTLA{year}NM"]) else ""


def _load_ons(table: Table, report: Report, register: _Register, _snac: dict[str, str]) -> None:
    year = _vintage(table)
    for line, row in table.rows(report):
        lower, upper = row[f"LTLA{year}CD"], row[f"UTLA{year}CD"]
        if _usable(lower, f"LTLA{year}CD", line, report) and _usable(upper, f"UTLA{year}CD", line, report):
            register.fill(lower, name=row[f"LTLA{year}NM"])
            register.fill(upper, name=row[f"UTLA{year}NM"])
            if tier_of(lower) == "DISTRICT" and tier_of(upper) == "COUNTY":
                register.fill(lower, county_id=upper)


def _load_forum_names(table: Table, report: Report, register: _Register, _snac: dict[str, str]) -> None:
    new, changed = [], []
    for line, row in table.rows(report):
        code = row["statistical-geography"] or row["local-resilience-forum"]
        forum = register.forums.get(code)
        if not code or not row["name"]:
            report.reject(line, "name" if code else "statistical-geography", "empty")
        elif forum is None:
            register.forums[code] = ResilienceForum(code=code, name=row["name"])
            new.append(register.forums[code])
        elif forum.name != row["name"]:
            forum.name = row["name"]
            changed.append(forum)
    ResilienceForum.objects.bulk_create(new)
    ResilienceForum.objects.bulk_update(changed, ["name"])
    report.counts["forums new"], report.counts["forums changed"] = len(new), len(changed)


def _load_forum_areas(table: Table, report: Report, register: _Register, _snac: dict[str, str]) -> None:
    for line, row in table.rows(report):
        gss_code, forum = row["la-statistical-geography"], row["lrf-statistical-geography"]
        if forum not in register.forums:
            report.reject(line, "lrf-statistical-geography", f"no forum “{forum}”: load the forums' names with it")
        elif gss_code not in register.authorities:
            report.reject(line, "la-statistical-geography", f"no local authority “{gss_code}”: load the authorities")
        else:
            register.set(gss_code, resilience_forum_id=forum)


def _load_contact_details(table: Table, report: Report, register: _Register, snac: dict[str, str]) -> None:
    for line, row in table.rows(report, encoding="latin-1"):
        code, phone = row["SNAC Code"], re.sub(r"\s+", " ", row["Telephone Number 1"]).strip()
        gss_code = snac.get(code, "")
        if not code:
            report.reject(line, "SNAC Code", "empty: nothing says which authority this is")
        elif gss_code not in register.authorities:
            report.reject(line, "SNAC Code", f"no authority with SNAC code {code} in the files loaded with this one")
        elif not _is_phone(phone):
            report.reject(line, "Telephone Number 1", f"“{phone}” is not one phone number" if phone else "empty")
        else:
            register.set(gss_code, phone=phone)


def _is_phone(text: str) -> bool:
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number) and re.fullmatch(r"[0-9 ()+-]+", text) is not None


_ONS = _Shape("ONS lower to upper tier", ("LTLAyyCD", "LTLAyyNM", "UTLAyyCD", "UTLAyyNM"), _load_ons)
#: In the order they are applied: who is who, then what is said about them.
_SHAPES = (
    _Shape(
        "mySociety authorities",
        (
            "local-authority-code",
            "official-name",
            "gss-code",
            "start-date",
            "end-date",
            "replaced-by",
            "local-authority-type",
            "county-la",
        ),
        _load_mysociety,
        ("snac", "gss-code"),
    ),
    _Shape(
        "GOV.UK authorities",
        ("id", "gss", "snac", "tier_id", "parent_local_authority_id", "homepage_url", "name"),
        _load_govuk,
        ("snac", "gss"),
    ),
    _Shape("all codes since 2011", ("LADCD", "LADNM", "LADCD_ACTIVE", "UTLACD", "UTLANM"), _load_all_codes),
    _Shape("forum names", ("local-resilience-forum", "name", "statistical-geography"), _load_forum_names),
    _Shape("forum areas", ("la-statistical-geography", "lrf-statistical-geography"), _load_forum_areas),
    _Shape("contact details", ("Name", "SNAC Code", "Telephone Number 1"), _load_contact_details),
    _ONS,
)

"""Writes of accounts: organisations from published files, users, and their memberships."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q

from shielding.accounts.models import Membership, Organisation, Role, User
from shielding.places.models import LocalAuthority
from shielding.places.rules import normal_postcode
from shielding.tables import Report, Table, WrongFile

Kind = Organisation.Kind

EPRACCUR = "epraccur"
PRACTICE_MAP = "practice-map"
SHAPES = (EPRACCUR, PRACTICE_MAP)

_EPRACCUR_CELLS = 27
_GP_PRACTICE = "4"  # prescribing setting
_MAP_COLUMNS = ("PRACTICE_CODE", "PCN_CODE", "PCN_NAME", "STP_CODE", "STP_NAME")
#: Written for a practice in no network.
_NO_PCN = "U"


def organisation_shape(table: Table, shape: str = "") -> str:
    """Returns which file of organisations this is: the shape asked for, else the one it looks like.

    epraccur has no header, so that its first row is a practice. Raises WrongFile if it does not fit.
    """
    if shape == PRACTICE_MAP:
        table.require(_MAP_COLUMNS, of="a map of practices")
    if shape == EPRACCUR and len(table.header) != _EPRACCUR_CELLS:
        raise WrongFile(f"{table.name} is not epraccur: it has {len(table.header)} columns, not {_EPRACCUR_CELLS}.")
    if shape:
        return shape
    if table.has(_MAP_COLUMNS):
        return PRACTICE_MAP
    if len(table.header) == _EPRACCUR_CELLS and table.header[10].isdigit():
        return EPRACCUR
    raise WrongFile(
        f"{table.name} is neither epraccur (27 columns, no header) nor a map of practices"
        f" (columns {', '.join(_MAP_COLUMNS)}). {table.columns_in_words()}"
    )


def load_organisations(*, tables: Sequence[Table], shape: str = "") -> list[Report]:
    """Loads practices, networks and integrated care systems, and returns a report for each file.

    In three steps, each a transaction: the systems that a map names, the practices of epraccur
    (which names systems by code alone), and where the map says they belong. Raises WrongFile,
    before anything is written, for a file of another kind.
    """
    shapes = [(organisation_shape(table, shape), table) for table in tables]
    shapes.sort(key=lambda pair: SHAPES.index(pair[0]))
    reports = [Report(table.name, found) for found, table in shapes]
    for step, of in ((_load_systems, PRACTICE_MAP), (_load_epraccur, EPRACCUR), (_load_practice_map, PRACTICE_MAP)):
        for (found, table), report in zip(shapes, reports, strict=True):
            if found == of:
                with transaction.atomic():
                    step(table, report)
    return reports


class _Register:
    """The organisations as they stand, changed in memory and written once. Its transaction owns the rows."""

    _FIELDS = ("name", "pcn", "ics", "address_lines", "postcode", "phone", "opened_date", "closed_date")

    def __init__(self) -> None:
        rows = Organisation.objects.select_for_update(of=("self",)).order_by("pk")
        self.by_code = {organisation.code: organisation for organisation in rows}
        self._new: dict[str, Organisation] = {}
        self._changed: dict[str, Organisation] = {}

    def put(self, kind: Kind, code: str, **values: Any) -> Organisation | None:
        """Returns the organisation with these values, or None if the code belongs to another kind."""
        organisation = self.by_code.get(code)
        if organisation is None:
            organisation = self.by_code[code] = self._new[code] = Organisation(code=code, kind=kind)
        if organisation.kind != kind:
            return None
        for field, value in values.items():
            if getattr(organisation, field) != value:
                setattr(organisation, field, value)
                if code not in self._new:
                    self._changed[code] = organisation
        return organisation

    def save(self, report: Report) -> None:
        """Writes, and counts what is new and changed, by kind."""
        # A network is written before the practices that point at it.
        order = [Kind.ICS, Kind.PCN, Kind.PRACTICE, Kind.LOCAL_AUTHORITY]
        Organisation.objects.bulk_create(
            sorted(self._new.values(), key=lambda organisation: order.index(Kind(organisation.kind))), batch_size=1000
        )
        # An upsert of known rows: bulk_update would take minutes for 8,000 practices.
        Organisation.objects.bulk_create(
            self._changed.values(),
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=self._FIELDS,
        )
        for kind in order:
            for word, organisations in (("new", self._new), ("changed", self._changed)):
                number = sum(organisation.kind == kind for organisation in organisations.values())
                if number:
                    report.counts[f"{kind.label} {word}"] = number


def _load_epraccur(table: Table, report: Report) -> None:
    """Columns as in NHS England ODS's epraccur specification, counted from 0.

    0 code, 1 name, 3 high-level health geography (today's ICS), 4 to 8 address, 9 postcode, 10
    opened, 11 closed, 12 status (Active, Closed, Dormant, Proposed), 17 phone, 25 prescribing setting.
    """
    register = _Register()
    lines: dict[str, int] = {}
    for line, cells in table.cells(report, with_header=False):
        row = [cell.strip() for cell in cells]
        code, name = row[0], row[1]
        if row[25] != _GP_PRACTICE:
            report.counts["rows about other prescribers"] += 1
            continue
        if row[12] not in {"A", "C"}:
            report.counts["practices dormant or proposed, not loaded"] += 1
            continue
        opened, closed = _day(row[10]), _day(row[11])
        problem = _practice_problem(row, opened, closed, lines)
        if problem:
            report.reject(line, *problem)
            continue
        postcode = normal_postcode(row[9]) or ""
        if not postcode:
            report.reject(line, "10 (postcode)", f"“{row[9]}” is not a postcode; the rest of the row was used")
        values: dict[str, Any] = {
            "name": name,
            "address_lines": [text for text in row[4:9] if text],
            "postcode": postcode,
            "phone": row[17],
            "opened_date": opened,
            "closed_date": closed,
        }
        known, ics = register.by_code.get(code), register.by_code.get(row[3])
        if (known is None or known.ics_id is None) and ics is not None and ics.kind == Kind.ICS:
            values["ics_id"] = ics.id
        if register.put(Kind.PRACTICE, code, **values) is None:
            report.reject(line, "1 (code)", f"{code} is the code of a {register.by_code[code].get_kind_display()}")
            continue
        lines[code] = line
    if not lines:
        raise WrongFile(f"{table.name} has no GP practice (prescribing setting 4 in column 26) that can be used.")
    register.save(report)
    report.counts["open practices in the file"] = sum(register.by_code[code].closed_date is None for code in lines)


def _practice_problem(
    row: list[str], opened: date | None, closed: date | None, lines: dict[str, int]
) -> tuple[str, str] | None:
    """Returns (column, reason) if a row of epraccur cannot be used. Columns are named by number, from 1."""
    if not 3 <= len(row[0]) <= 12:
        return "1 (code)", f"“{row[0]}” is not an ODS code"
    if row[0] in lines:
        return "1 (code)", f"the same practice as in line {lines[row[0]]}"
    if not row[1]:
        return "2 (name)", "empty"
    if row[10] and opened is None:
        return "11 (opened)", f"“{row[10]}” is not a date YYYYMMDD"
    if row[11] and closed is None:
        return "12 (closed)", f"“{row[11]}” is not a date YYYYMMDD"
    if row[12] == "C" and closed is None:
        return "12 (closed)", "empty for a closed practice"
    if len(row[1]) > 200 or len(row[17]) > 40 or any(len(text) > 100 for text in row[4:9]):
        return "", "a name, address line or phone number is too long"
    return None


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


def _load_systems(table: Table, report: Report) -> None:
    register = _Register()
    for _, row in table.rows(Report(table.name, PRACTICE_MAP)):
        if row["STP_CODE"] and row["STP_NAME"]:
            register.put(Kind.ICS, row["STP_CODE"], name=row["STP_NAME"])
    register.save(report)


def _load_practice_map(table: Table, report: Report) -> None:
    register = _Register()
    seen: dict[str, int] = {}
    for line, row in table.rows(report):
        code = row["PRACTICE_CODE"]
        practice = register.by_code.get(code)
        missing = [name for name in ("STP_CODE", "STP_NAME", "PCN_CODE", "PCN_NAME") if not row[name]]
        if practice is None or practice.kind != Kind.PRACTICE:
            report.reject(line, "PRACTICE_CODE", f"no practice “{code}”: epraccur, loaded first, has the practices")
            continue
        if code in seen:
            report.reject(line, "PRACTICE_CODE", f"the same practice as in line {seen[code]}")
            continue
        if missing:
            report.reject(line, missing[0], "empty")
            continue
        ics = register.by_code[row["STP_CODE"]]
        if ics.kind != Kind.ICS:
            report.reject(line, "STP_CODE", f"{row['STP_CODE']} is the code of another kind of organisation")
            continue
        pcn = None
        if row["PCN_CODE"] == _NO_PCN:
            report.counts["practices in no network"] += 1
        else:
            # A network may span two systems: its own link is then its first practice's.
            known = register.by_code.get(row["PCN_CODE"])
            its_ics = known.ics_id if known and known.ics_id else ics.id
            pcn = register.put(Kind.PCN, row["PCN_CODE"], name=row["PCN_NAME"], ics_id=its_ics)
            if pcn is None:
                report.reject(line, "PCN_CODE", f"{row['PCN_CODE']} is the code of another kind of organisation")
                continue
        register.put(Kind.PRACTICE, code, pcn_id=pcn.id if pcn else None, ics_id=ics.id)
        seen[code] = line
    register.save(report)
    report.counts["practices linked"] = len(seen)


@transaction.atomic
def sync_local_authorities(*, at: datetime) -> Report:
    """Makes each English authority that stands at this moment an organisation, and closes those that have gone.

    Its code is the GSS code, so that a council's staff keep their organisation until it ends. What
    is new, changed and closed is counted.
    """
    register = _Register()
    report = Report("local authorities", "organisations of councils")
    today = at.date()
    standing = Q(end_date__isnull=True) | Q(end_date__gte=today)
    for authority in LocalAuthority.objects.filter(Q(gss_code__startswith="E"), standing):
        values = {"name": authority.name, "local_authority_id": authority.pk, "closed_date": None}
        if authority.phone:  # else keep what an administrator may have entered
            values["phone"] = authority.phone
        if register.put(Kind.LOCAL_AUTHORITY, authority.gss_code, **values) is None:
            raise WrongFile(f"{authority.gss_code} is the code of another kind of organisation.")
    for authority in LocalAuthority.objects.filter(end_date__lt=today, organisation__closed_date__isnull=True):
        if authority.gss_code in register.by_code:
            register.put(Kind.LOCAL_AUTHORITY, authority.gss_code, closed_date=authority.end_date)
    register.save(report)
    return report


@transaction.atomic
def make_user(*, email: str, name: str, password: str, organisation: Organisation, role: Role) -> User:
    """Returns a user who can sign in with this address and password, and has this role in the organisation.

    The address counts as verified. Whoever has the address already gets the name, the password and,
    if they have not got it, the role. An administrator may use Django admin.
    """
    email = email.strip().lower()
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is None:
        user = User(email=email)
    user.name = name
    user.is_staff = user.is_staff or role == Role.ADMINISTRATOR
    user.set_password(password)
    user.save()
    EmailAddress.objects.filter(user=user, primary=True).exclude(email=email).update(primary=False)
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    Membership.objects.get_or_create(user=user, organisation=organisation, role=role, ended_at=None)
    return user


@transaction.atomic
def end_membership(*, membership: Membership, at: datetime) -> Membership:
    """Returns the membership, ended at this moment, or when it ended before: it never moves."""
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    if membership.ended_at is None:
        membership.ended_at = at
        membership.save(update_fields=["ended_at"])
    return membership

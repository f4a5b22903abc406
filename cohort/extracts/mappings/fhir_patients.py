"""FHIR Patient, by the conventions of UK Core and PDS, as rows of the table patients."""

from cohort.extracts.mappings.fhir_shapes import (
    NHS_NUMBER,
    NO_FIXED_ABODE,
    ODS_CODES,
    day_of,
    extension_of,
    id_of,
    is_current,
    nhs_number_in,
    part_of,
)

#: Confidentiality: restricted, very restricted, sensitive, and what PDS says where it withholds the record.
RESTRICTED = ("R", "V", "S", "REDACTED")
NO_TELEPHONE = "8"

TABLE = (
    "patients (file INTEGER, line BIGINT, id VARCHAR, nhs_number VARCHAR, given_name VARCHAR, family_name VARCHAR,"
    " birth_date VARCHAR, sex VARCHAR, ods_codes VARCHAR[], organizations VARCHAR[], address STRUCT(lines VARCHAR[],"
    " postcode VARCHAR, uprn VARCHAR), mobile VARCHAR, landline VARCHAR, email VARCHAR, death_status VARCHAR,"
    " death_date VARCHAR, is_restricted BOOLEAN, moved_away_code VARCHAR, unsafe_channels VARCHAR,"
    " safe_contact_instruction VARCHAR)"
)


def select(number: int, as_at: str) -> str:
    """Returns a query over `good` (line, r) that gives the rows of TABLE for the file of that number."""
    death = part_of(extension_of("r.extension", "Extension-UKCore-DeathNotificationStatus"), "deathNotificationStatus")
    removal = extension_of("r.extension", "Extension-PDS-RemovalFromRegistration")
    contact = extension_of("r.extension", "Extension-UKCore-ContactPreference")
    method = f"{part_of(contact, 'PreferredContactMethod')}.valueCodeableConcept.coding[1]"
    written = f"{part_of(contact, 'PreferredWrittenCommunicationFormat')}.valueCodeableConcept.coding[1]"
    gp = f"list_filter(r.generalPractitioner, lambda g: {is_current('g.identifier.period', as_at)})"
    moved = f"{part_of(removal, 'removalFromRegistrationCode')}.valueCodeableConcept.coding[1].code"
    return f"""
        SELECT {number}, line, r.id, {nhs_number_in("r.identifier")},
            array_to_string({_name(as_at)}.given, ' '), {_name(as_at)}.family, {day_of("r.birthDate")},
            CASE r.gender WHEN 'female' THEN 'F' WHEN 'male' THEN 'M' WHEN 'other' THEN 'O' ELSE 'U' END,
            list_transform(list_filter({gp}, lambda g: g.identifier.system IN {ODS_CODES}),
                lambda g: g.identifier.value),
            list_transform(list_filter({gp}, lambda g: contains(g.reference, 'Organization/')),
                lambda g: {id_of("g.reference")}),
            CASE WHEN {_is_restricted()} THEN NULL ELSE {_address(as_at)} END,
            CASE WHEN NOT {_is_restricted()} THEN {_telecom(as_at, "phone", "t.use = 'mobile'")} END,
            CASE WHEN NOT {_is_restricted()} THEN
                {_telecom(as_at, "phone", "t.use IS DISTINCT FROM 'mobile'")} END,
            CASE WHEN NOT {_is_restricted()} THEN {_telecom(as_at, "email", "true")} END,
            {_death_status(f"{death}.valueCodeableConcept.coding[1].code")} AS death_status,
            CASE WHEN death_status <> '' THEN {day_of("r.deceasedDateTime")} END,
            {_is_restricted()},
            CASE WHEN {is_current(f"{part_of(removal, 'effectiveTime')}.valuePeriod", as_at)} THEN {moved} END,
            CASE WHEN {method}.code = '{NO_TELEPHONE}' THEN 'SMS' END,
            concat_ws('. ', 'Prefers: ' || {method}.display,
                'When: ' || {part_of(contact, "PreferredContactTimes")}.valueString,
                'In writing: ' || {written}.display)[:300]
        FROM good
    """


def output(practice_code: str) -> str:
    """Returns a query over TABLE, `organizations` and `files` that gives the table patients of the contract."""
    lines = ", ".join(f"address.lines[{n}] AS address_line_{n}" for n in range(1, 5))
    return f"""
        SELECT p.nhs_number, given_name, family_name, birth_date, sex,
            coalesce(ods_codes[1], o.ods_code, '{practice_code}') AS practice_code,
            {lines}, array_to_string(address.lines[5:], ', ') AS address_line_5,
            CASE WHEN address.postcode = '{NO_FIXED_ABODE}' THEN '' ELSE address.postcode END AS postcode,
            address.uprn AS uprn, coalesce(address.postcode = '{NO_FIXED_ABODE}', false) AS no_fixed_abode,
            mobile, landline, email, death_status, death_date, is_restricted, moved_away_code, unsafe_channels,
            safe_contact_instruction, f.name AS source_file, p.line AS source_line
        FROM patients p JOIN files f USING (file) LEFT JOIN organizations o ON o.id = p.organizations[1]
    """


def subject_number(reference: str) -> str:
    """Returns SQL for the NHS number a reference to a patient gives by itself, if any."""
    return f"CASE WHEN {reference}.identifier.system = '{NHS_NUMBER}' THEN {reference}.identifier.value END"


def _first(items: str, rank: str, keep: str, picked: str) -> str:
    """Returns SQL for what is picked of the item of lowest rank, the earliest among those."""
    kept = f"list_filter({items}, lambda t: {keep})"
    ranked = f"list_transform({kept}, lambda t, i: {{'rank': {rank}, 'nth': i, 'it': {picked}}})"
    return f"list_sort({ranked})[1].it"


def _name(as_at: str) -> str:
    rank = (
        "CASE t.\"use\" WHEN 'usual' THEN 1 WHEN 'official' THEN 2 WHEN 'temp' THEN 4 WHEN 'nickname' THEN 5"
        " WHEN 'anonymous' THEN 6 WHEN 'maiden' THEN 7 WHEN 'old' THEN 8 ELSE 3 END"
        f" + CASE WHEN {is_current('t.period', as_at)} THEN 0 ELSE 10 END"
    )
    return _first("r.name", rank, "t.family IS NOT NULL", "{'given': t.given, 'family': t.family}")


def _address(as_at: str) -> str:
    key = extension_of(
        "list_filter(t.extension, lambda k:"
        " list_contains(list_transform(k.extension, lambda p: p.valueCoding.code), 'UPRN'))",
        "Extension-UKCore-AddressKey",
    )
    lines = "list_filter(list_concat(t.line, [t.city, t.district]), lambda l: coalesce(trim(l), '') <> '')"
    return _first(
        "r.address",
        "CASE t.\"use\" WHEN 'home' THEN 1 WHEN 'temp' THEN 3 WHEN 'work' THEN 4 ELSE 2 END",
        f"coalesce(t.\"use\" NOT IN ('old', 'billing'), true) AND {is_current('t.period', as_at)}",
        f"{{'lines': {lines}, 'postcode': upper(t.postalCode), 'uprn': {part_of(key, 'value')}.valueString}}",
    )


def _telecom(as_at: str, system: str, keep: str) -> str:
    return _first(
        "r.telecom",
        "coalesce(TRY_CAST(t.rank AS INTEGER), 99)",
        f"t.system = '{system}' AND t.\"use\" IS DISTINCT FROM 'old' AND ({keep}) AND {is_current('t.period', as_at)}",
        "t.value",
    )


def _death_status(notification: str) -> str:
    """U takes a notification back. A death without one is only reported: nobody says it is registered."""
    return (
        f"CASE {notification} WHEN '2' THEN 'FORMAL' WHEN '1' THEN 'INFORMAL' WHEN 'U' THEN ''"
        " ELSE CASE WHEN r.deceasedDateTime IS NOT NULL OR r.deceasedBoolean = 'true' THEN 'INFORMAL' ELSE '' END END"
    )


def _is_restricted() -> str:
    codes = "list_transform(r.meta.security, lambda s: upper(s.code))"
    return f"coalesce(list_has_any({codes}, {list(RESTRICTED)}), false)"

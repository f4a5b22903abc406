"""Who must not be contacted, and by which channel: the one definition (domain, sections 6 and 7).

`hold_reason` is a database expression, so that the statement which plans, makes or releases a
message decides by the details of that moment. Nothing decides it a second time in Python; what is
printed as an address is `address_block` as the database made it and checked it.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    Expression,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)

from cohort.models import ListEntry, Patient
from cohort.rules import Channel, HoldReason

#: A UK postcode, in capitals, with or without its space. Source: the pattern the UK government
#: published with its bulk data transfer guidance (BS 7666); BFPO postcodes (BF1) fit it too.
POSTCODE = (
    r"^(GIR ?0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9][0-9ABEHMNPRV-Y]?|[0-9][A-HJKPS-UW]) ?[0-9][ABD-HJLNP-UW-Z]{2})$"
)
#: A forces address may end in its BFPO number in place of a postcode.
BFPO = r"^BFPO ?(C/O ?)?[0-9]{1,4}$"
#: A line may not begin with one of these: the printers' rule, as GOV.UK Notify publishes it.
FORBIDDEN_START = r"""^[][@()="\\/,<>~]"""
MIN_LINES, MAX_LINES = 3, 7
#: A line that says there is no address, and the pseudo-postcode ZZ99 3VZ that NHS systems record for
#: it (NHS Data Dictionary). Notify refuses the same words.
NO_FIXED_ABODE = r"^(N\.?F\.?A\.?|.*NO FIXED (ABODE|ADDRESS).*|ZZ99 ?3VZ)$"
#: A UK mobile as stored: 07... or +447..., no spaces. 070 (personal numbers) and 076 (pagers) are
#: not mobiles, except 07624 (Isle of Man). `phonenumbers` decides when details are made; this is
#: its shadow in the database, and a test holds the one against the other.
MOBILE = r"^(\+44|0)7([1-57-9][0-9]{8}|624[0-9]{6})$"


class _AddressBlock(Func):
    """The lines without the empty ones, trimmed, runs of white space made one space, the last in capitals."""

    function = "ADDRESS_BLOCK"
    template = (
        "ARRAY(SELECT regexp_replace(btrim(line, E' \\t\\r\\n'), '\\s+', ' ', 'g')"
        " FROM unnest(%(expressions)s) WITH ORDINALITY AS lines(line, place)"
        " WHERE btrim(line, E' \\t\\r\\n') <> '' ORDER BY place)"
    )
    arg_joiner = " || "
    output_field = ArrayField(TextField())


def address_block() -> Expression:
    """Returns the lines printed in the window: name, address lines, postcode. An array, over `Patient`."""
    name = Func(Value(" "), F("given_name"), F("family_name"), function="concat_ws", output_field=TextField())
    return _AddressBlock(
        _TextArray(name),
        Func(F("address_lines"), template="%(expressions)s::text[]"),
        _TextArray(Func(F("postcode"), function="upper", output_field=TextField())),
    )


class _TextArray(Func):
    template = "ARRAY[%(expressions)s]::text[]"
    output_field = ArrayField(TextField())


class _Condition(Func):
    """A condition over one expression, whose text may be repeated in the template."""

    output_field = BooleanField()

    def __init__(self, expression: Expression | F, template: str, **extra: Any) -> None:
        super().__init__(expression, template=template, **extra)


def _any_line(pattern: str) -> _Condition:
    return _Condition(
        address_block(),
        "EXISTS (SELECT FROM unnest(%(expressions)s) AS line WHERE upper(line) ~ '%(pattern)s')",
        pattern=pattern.replace("'", "''"),
    )


def _has_usable_address() -> _Condition:
    return _Condition(
        address_block(),
        "(SELECT cardinality(block) BETWEEN %(least)s AND %(most)s"
        " AND (upper(block[cardinality(block)]) ~ '%(postcode)s' OR upper(block[cardinality(block)]) ~ '%(bfpo)s')"
        " AND NOT EXISTS (SELECT FROM unnest(block) AS line WHERE line ~ '%(forbidden)s')"
        " FROM (SELECT %(expressions)s AS block) AS address)",
        least=MIN_LINES,
        most=MAX_LINES,
        postcode=POSTCODE,
        bfpo=BFPO,
        forbidden=FORBIDDEN_START,
    )


def hold_reason(channel: Channel) -> Case:
    """Returns, over `Patient`, the gravest `HoldReason` against contact by `channel`, or '' where there is none.

    In the order of `HoldReason`. Nobody without an entry on the list is contacted.
    """
    reasons: list[tuple[Any, HoldReason]] = [
        (Q(death_status=Patient.DeathStatus.FORMAL), HoldReason.DIED),
        (Q(death_status=Patient.DeathStatus.INFORMAL), HoldReason.REPORTED_DEAD),
        (Q(is_restricted=True), HoldReason.RESTRICTED),
        (Q(is_invalid=True), HoldReason.RECORD_INVALID),
        (~Q(moved_away_code=""), HoldReason.MOVED_AWAY),
        (~Exists(ListEntry.objects.filter(patient=OuterRef("pk"), is_on_list=True)), HoldReason.OFF_LIST),
        (Q(asked_not_to_be_contacted=True), HoldReason.ASKED_NOT_TO_BE_CONTACTED),
        (Q(unsafe_channels__contains=[channel.value]), HoldReason.UNSAFE_CHANNEL),
    ]
    if channel is Channel.LETTER:
        reasons += [
            (Q(no_fixed_abode=True) | Q(_any_line(NO_FIXED_ABODE)), HoldReason.NO_FIXED_ABODE),
            (~Q(_has_usable_address()), HoldReason.NO_USABLE_ADDRESS),
        ]
    else:
        reasons.append((~Q(mobile__regex=MOBILE), HoldReason.NO_USABLE_NUMBER))
    return Case(
        *(When(condition, then=Value(reason.value)) for condition, reason in reasons),
        default=Value(""),
        output_field=CharField(),
    )


def hold_reason_of(patient_id: str, channel: Channel) -> Subquery:
    """Returns `hold_reason` for the patient whose id is in the outer query's column `patient_id`."""
    return Subquery(
        Patient.objects.filter(pk=OuterRef(patient_id)).annotate(hold=hold_reason(channel)).values("hold")[:1],
        output_field=CharField(),
    )

"""Who must not be contacted, and by which channel: the one definition (domain, sections 6 and 7).

`hold_reason` is a database expression, so that the statement which plans, makes or releases a
message decides by the details of that moment. Nothing decides it a second time in Python; what is
printed as an address is `address_block` as the database made it and checked it.
"""

from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
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

from cohort.addresses import BFPO, FEWEST_LINES, FORBIDDEN_STARTS, MOST_LINES, POSTCODE
from cohort.models import ListEntry, Patient
from cohort.queries.late import lists_to_contact
from cohort.rules import TOLD_BY_NOBODY, Audience, Channel, HoldReason, ReviewState

# These patterns are matched against the whole block in capitals, its lines set apart by line feeds.

#: 3 to 7 lines, the last a postcode or BFPO number; none begins with `@()=[]"\/,<>~`. The printers'
#: rule, as GOV.UK Notify publishes it.
USABLE_ADDRESS = rf"^([^{FORBIDDEN_STARTS}\n][^\n]*\n){{{FEWEST_LINES - 1},{MOST_LINES - 1}}}({POSTCODE}|{BFPO})$"
#: A line that says there is no address, and the pseudo-postcode ZZ99 3VZ that NHS systems record for
#: it (NHS Data Dictionary). Notify refuses the same words.
NO_FIXED_ABODE = r"(^|\n)(N\.?F\.?A\.?|[^\n]*NO FIXED (ABODE|ADDRESS)[^\n]*|ZZ99 ?3VZ)(\n|$)"
#: A UK mobile without its spaces and marks: 07... or +447.... 070 (personal numbers) and 076 (pagers) are
#: not mobiles, except 07624 (Isle of Man). `phonenumbers` decides when details are made; this is
#: its shadow in the database, and a test holds the one against the other.
MOBILE = r"^(\+44|0)7([1-57-9][0-9]{8}|624[0-9]{6})$"


class _AddressText(Func):
    """The lines in one text, empty ones left out, trimmed, runs of white space made one space."""

    template = (
        "btrim(regexp_replace(regexp_replace(concat_ws(E'\\n', %(expressions)s),"
        " '[ \\t\\r\\f\\v]+', ' ', 'g'), '( ?\\n ?)+', E'\\n', 'g'), E' \\n')"
    )
    output_field = TextField()


def _address_text() -> Expression:
    return _AddressText(
        Func(Value(" "), F("given_name"), F("family_name"), function="concat_ws", output_field=TextField()),
        Func(F("address_lines"), Value("\n"), function="array_to_string", output_field=TextField()),
        Func(F("postcode"), function="upper", output_field=TextField()),
    )


def address_block() -> Expression:
    """Returns the lines printed in the window: name, address lines, postcode. An array, over `Patient`."""
    return Func(_address_text(), Value("\n"), function="string_to_array", output_field=ArrayField(TextField()))


def printed_address() -> Expression:
    """Returns the block as one text in capitals, over `Patient`: how an address that letters come back from is kept."""
    return Func(_address_text(), function="upper", output_field=TextField())


class PlainNumber(Func):
    """A number without spaces, dots, dashes and brackets, `+44` as `0`: equal where it rings the same telephone."""

    template = "regexp_replace(regexp_replace(%(expressions)s, '[ ().-]', '', 'g'), '^[+]44', '0')"
    output_field = CharField()


class _AddressHold(Func):
    """The hold reason that an address gives, or ''. The block is made once, however many patterns it meets."""

    template = (
        "(SELECT CASE WHEN block ~ '%(no_fixed_abode)s' THEN 'NO_FIXED_ABODE'"
        " WHEN block ~ '%(usable)s' THEN '' ELSE 'NO_USABLE_ADDRESS' END"
        " FROM (SELECT upper(%(expressions)s) AS block OFFSET 0) AS address)"
    )
    output_field = CharField()


class _NumberHold(Func):
    """The hold reason that a mobile number gives, or ''. Spaces, dots, dashes and brackets do not matter."""

    template = (
        "CASE WHEN regexp_replace(%(expressions)s, '[ ().-]', '', 'g') ~ '%(usable)s' THEN ''"
        " ELSE 'NO_USABLE_NUMBER' END"
    )
    output_field = CharField()


def has_returned_address() -> Q:
    """Returns, over `Patient`, whose address is still the one that a letter came back from."""
    return ~Q(returned_address="") & Q(returned_address=printed_address())


def has_undeliverable_mobile() -> Q:
    """Returns, over `Patient`, whose mobile is still the one that texts do not reach."""
    return ~Q(undeliverable_mobile="") & Q(undeliverable_mobile=PlainNumber("mobile"))


def hold_reason(channel: Channel, on: date, audience: Audience) -> Case:
    """Returns, over `Patient`, the gravest `HoldReason` against contact by `channel`, or '' where there is none.

    In the order of `HoldReason`. Of the LISTED, nobody without an entry on the list is contacted, nor anybody
    whom their practice has yet to review, unless it is late on the day `on` (UK) and such people are to
    be contacted anyway. Of the REMOVED, nobody who is on the list, and nobody with whom no clinician has talked
    their removal over.
    """
    reasons: list[tuple[Any, HoldReason]] = [
        (Q(death_status=Patient.DeathStatus.FORMAL), HoldReason.DIED),
        (Q(death_status=Patient.DeathStatus.INFORMAL), HoldReason.REPORTED_DEAD),
        (Q(is_restricted=True), HoldReason.RESTRICTED),
        (Q(is_invalid=True), HoldReason.RECORD_INVALID),
        (~Q(moved_away_code=""), HoldReason.MOVED_AWAY),
        *(_standing_against_the_listed(on) if audience is Audience.LISTED else _standing_against_the_removed()),
        (Q(asked_not_to_be_contacted=True), HoldReason.ASKED_NOT_TO_BE_CONTACTED),
        (Q(unsafe_channels__contains=[channel.value]), HoldReason.UNSAFE_CHANNEL),
    ]
    return _first(reasons, contact_problem(channel))


def _standing_against_the_listed(on: date) -> list[tuple[Any, HoldReason]]:
    entry = ListEntry.objects.filter(patient=OuterRef("pk"))
    to_review = entry.filter(review_state=ReviewState.TO_REVIEW.value)
    return [
        (~Exists(entry.filter(is_on_list=True)), HoldReason.OFF_LIST),
        (Exists(to_review.exclude(practice_list__in=lists_to_contact(on))), HoldReason.NOT_REVIEWED),
    ]


def _standing_against_the_removed() -> list[tuple[Any, HoldReason]]:
    entry = ListEntry.objects.filter(patient=OuterRef("pk"))
    return [
        (Exists(entry.filter(is_on_list=True)), HoldReason.BACK_ON_LIST),
        (~Exists(entry.filter(told_of_a_removal())), HoldReason.REMOVAL_NOT_TOLD),
    ]


def told_of_a_removal() -> Q:
    """Returns, over `ListEntry`, who is off the list by a removal that a clinician has talked over with them.

    Whatever was ticked, it was not with the dead, nor with those whose addition was a slip.
    """
    removed = Q(is_on_list=False, review_state=ReviewState.REMOVED.value, is_patient_told=True)
    return removed & ~Q(removal_reason__in=TOLD_BY_NOBODY)


def contact_problem(channel: Channel) -> Case:
    """Returns, over `Patient`, the last of the reasons of `hold_reason`: the address or number that is no use, or ''.

    Nothing else that is against contact is looked at.
    """
    if channel is Channel.LETTER:
        reasons = [
            (has_returned_address(), HoldReason.LETTER_RETURNED),
            (Q(no_fixed_abode=True), HoldReason.NO_FIXED_ABODE),
        ]
        return _first(reasons, _AddressHold(_address_text(), no_fixed_abode=NO_FIXED_ABODE, usable=USABLE_ADDRESS))
    return _first(
        [(has_undeliverable_mobile(), HoldReason.NUMBER_UNDELIVERABLE)], _NumberHold(F("mobile"), usable=MOBILE)
    )


def _first(reasons: list[tuple[Any, HoldReason]], otherwise: Expression) -> Case:
    return Case(
        *(When(condition, then=Value(reason.value)) for condition, reason in reasons),
        default=otherwise,
        output_field=CharField(),
    )


def hold_reason_of(patient_id: str, channel: Channel, on: date, audience: Audience) -> Subquery:
    """Returns `hold_reason` for the patient whose id is in the outer query's column `patient_id`."""
    return Subquery(
        Patient.objects.filter(pk=OuterRef(patient_id))
        .annotate(hold=hold_reason(channel, on, audience))
        .values("hold")[:1],
        output_field=CharField(),
    )

"""Reads of places: which local authority a postcode lies in, as of a date."""

from collections.abc import Iterable
from datetime import date

from shielding.places.models import LocalAuthority, Postcode, Successor
from shielding.places.rules import Succession, Successions, normal_postcode


def local_authority_for(*, postcode: str, on: date) -> LocalAuthority | None:
    """Returns the lower-tier or single-tier authority that a postcode lay in on a day.

    However the postcode is spelled, and whether or not it is still in use. None if it is unknown,
    or its area was since split between authorities. See `Successions.as_of` for days before a
    succession.
    """
    return local_authorities_for([postcode], on)[postcode]


def local_authorities_for(postcodes: Iterable[str], on: date) -> dict[str, LocalAuthority | None]:
    """Returns the answer of `local_authority_for` for each postcode, under the spelling given. Three queries."""
    spelled = {postcode: normal_postcode(postcode) for postcode in postcodes}
    wanted = {postcode for postcode in spelled.values() if postcode}
    codes = dict(Postcode.objects.filter(pk__in=wanted).values_list("postcode", "local_authority_id"))
    successions = Successions(
        [Succession(*row) for row in Successor.objects.values_list("predecessor_id", "successor_id", "on_date")]
    )
    as_of = {code: successions.as_of(code, on) for code in set(codes.values())}
    authorities = LocalAuthority.objects.in_bulk({code for code in as_of.values() if code})
    return {
        given: authorities.get(as_of.get(codes.get(postcode or "", "")) or "") for given, postcode in spelled.items()
    }

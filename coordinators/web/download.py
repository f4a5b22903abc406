"""The columns of a council's CSV file (domain, section 9): what its staff need and no more."""

from django.utils import timezone

from coordinators.queries import CouncilReferral

_ADDRESS_LINES = 5
COLUMNS = (
    "referral_id",
    "state",
    "made_date",
    "nhs_number",
    "given_name",
    "family_name",
    "birth_date",
    "do_not_contact",
    "how_to_contact_safely",
    "need",
    "detail",
    *(f"address_line_{n}" for n in range(1, _ADDRESS_LINES + 1)),
    "postcode",
    "uprn",
    "mobile",
    "landline",
    "email",
    "gp_practice",
    "gp_practice_phone",
)


def csv_row(referral: CouncilReferral) -> dict[str, str]:
    """Returns one referral as the cells of `COLUMNS`; dates are ISO."""
    lines = list(referral.address_lines)
    # Addresses have at most five lines in the file; a sixth is joined to the fifth, not lost.
    lines = [*lines[: _ADDRESS_LINES - 1], ", ".join(lines[_ADDRESS_LINES - 1 :])]
    address = dict.fromkeys((f"address_line_{n}" for n in range(1, _ADDRESS_LINES + 1)), "")
    address |= {f"address_line_{n}": line for n, line in enumerate(lines, 1)}
    return address | {
        "referral_id": str(referral.id),
        "state": referral.state,
        "made_date": timezone.localdate(referral.made_at).isoformat(),
        "nhs_number": referral.nhs_number,
        "given_name": referral.given_name,
        "family_name": referral.family_name,
        "birth_date": referral.birth_date.isoformat(),
        "do_not_contact": referral.death_notice,
        "how_to_contact_safely": referral.safe_contact,
        "need": referral.need,
        "detail": referral.detail,
        "postcode": referral.postcode,
        "uprn": referral.uprn,
        "mobile": referral.mobile,
        "landline": referral.landline,
        "email": referral.email,
        "gp_practice": referral.practice,
        "gp_practice_phone": referral.practice_phone,
    }

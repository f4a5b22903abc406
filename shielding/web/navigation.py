"""What each role can do, and where: the menu of every page and the cards of the home page."""

from dataclasses import dataclass

from django.urls import reverse

from shielding.accounts.models import Membership, Role


@dataclass(frozen=True)
class Item:
    """One thing a role can do: a short `label` for the menu, the page's `url_name`, and one line about it."""

    label: str
    url_name: str
    description: str

    @property
    def href(self) -> str:
        """The page's address."""
        return reverse(self.url_name)


_WHY = Item("Why or why not", "cohort:why", "See why one person was found by the search, or why not.")
_VALIDATION = (
    Item("Lists to check", "cohort:lists", "Confirm, remove and add people, then send your list in."),
    Item(
        "Contact problems", "cohort:contact_problems", "Mend addresses and numbers that letters and texts cannot use."
    ),
    Item("Your rates", "cohort:rates", "See how many people you remove and add, beside other practices."),
    _WHY,
    Item("Case conferences", "coordinators:conferences", "Meet your council about those who need most help."),
)

ITEMS: dict[Role, tuple[Item, ...]] = {
    Role.CENTRAL_OPERATOR: (
        Item("Ledger", "ledger", "See where everybody is: flagged, validated, contacted, held or waiting."),
        Item("Extracts", "cohort:extracts", "See what each supplier sent, how old it is and what was refused."),
        Item("Searches", "cohort:searches", "Run the central search and see whom each criterion found."),
        Item("Practices", "cohort:oversight", "See which practices are late, whom to ring, and whose rates stand out."),
        _WHY,
        Item("Risk models", "cohort:risk_lists", "Add the people whom a population risk model flags."),
        Item("Wording", "letters:templates", "Draft and approve what letters and texts say, in every language."),
        Item("Letters and texts", "letters:batches", "Make batches, see who is held and why, and stop a batch."),
        Item("When will it arrive", "letters:arrivals", "See when letters should arrive, and what waits too long."),
    ),
    Role.CENTRAL_CLINICIAN: (
        Item("Criteria", "cohort:criteria", "Write, count, test and sign off who is at risk."),
        Item("Code lists", "cohort:code_lists", "See the codes that criteria read, and send in a new version."),
        Item("Wording", "letters:templates", "Draft and approve what letters and texts say, in every language."),
    ),
    Role.PRACTICE_STAFF: _VALIDATION,
    Role.GP: _VALIDATION,
    Role.COORDINATOR: (
        Item("Your caseload", "coordinators:caseload", "See whom to contact next and log each check-in."),
    ),
    Role.HOSPITAL_STAFF: (
        Item("Your unit's lists", "cohort:hospital_lists", "Send patients who must be on the list, or off it."),
        Item("To decide", "cohort:hospital_to_decide", "Say who is meant where your list could mean several people."),
        Item("Letters", "letters:unit_letters", "Write to patients of your unit who are on the list."),
    ),
    Role.LA_STAFF: (
        Item("Referrals", "coordinators:referrals", "Download referrals to your council and say what was done."),
        Item("Case conferences", "coordinators:conferences", "Meet practices about those who need most help."),
    ),
    Role.ICS_LEAD: (
        Item("Your practices", "cohort:area", "See how far the practices of your area are, and whom to ring."),
    ),
    Role.ADMINISTRATOR: (
        Item("Administration", "admin:index", "Add people and organisations, and keep reference data right."),
    ),
}


def items_for(membership: Membership | None) -> list[Item]:
    """Returns what somebody working under `membership` can do; nothing without one."""
    if membership is None:
        return []
    return list(ITEMS[Role(membership.role)])


def menu(membership: Membership | None, *, path: str) -> list[dict[str, object]]:
    """Returns the items of NHS.UK's header menu, the one that `path` belongs to marked as current."""
    return [
        {
            "text": item.label,
            "href": item.href,
            "active": path.startswith(item.href),
            "current": path == item.href,
        }
        for item in items_for(membership)
    ]

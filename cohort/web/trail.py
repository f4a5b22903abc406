"""The way somebody went through the people of a list, for "Back": kept in the session, as ids alone."""

from uuid import UUID

from shielding.accounts.http import MemberRequest

#: A sitting of some hours; what came before is forgotten.
_LONGEST = 300


def step(request: MemberRequest, list_id: UUID, patient_id: UUID) -> UUID | None:
    """Notes that somebody is shown, and returns who was shown before them; None where they are the first.

    The address says, as `back` or `decided`, from whom the user came; without either they begin anew, unless
    they have gone back to somebody.
    """
    key = f"trail {request.membership.pk if request.membership else ''} {list_id}"
    was: list[str] = request.session.get(key, [])
    here, came = str(patient_id), _came_from(request)
    if was[-1:] == [here]:
        trail = was
    elif came and was[-1:] == [came]:
        trail = [*was, here][-_LONGEST:]
    elif here in was:
        trail = _as_far_as(here, was)
    else:
        trail = [*(_as_far_as(came, was) if came in was else [came] if came else []), here]
    if trail != was:
        request.session[key] = trail
    return UUID(trail[-2]) if len(trail) > 1 else None


def _as_far_as(person: str, trail: list[str]) -> list[str]:
    return trail[: len(trail) - trail[::-1].index(person)]


def _came_from(request: MemberRequest) -> str:
    try:
        return str(UUID(request.GET.get("back") or request.GET.get("decided", "")))
    except ValueError:
        return ""

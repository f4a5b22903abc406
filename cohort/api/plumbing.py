"""What every address of the API shares: tokens, bounded JSON, throttling, and errors of one shape."""

import json
from typing import Any

from django.utils import timezone
from rest_framework import exceptions, views
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.parsers import BaseParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from cohort.actions.hospitals.tokens import use_token
from shielding.accounts.models import Membership, User

LARGEST_BODY = 20 * 1024 * 1024


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; `request.auth` is the membership that the token works under."""

    def authenticate(self, request: Request) -> tuple[User, Membership] | None:
        """Returns the service user and membership, or None without a token. Raises AuthenticationFailed."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        membership = None
        if len(words) == 2:
            membership = use_token(secret=words[1].decode("latin-1"), at=timezone.now())
        if membership is None:
            raise exceptions.AuthenticationFailed("The token is not known, has expired or has been revoked.")
        return membership.user, membership

    def authenticate_header(self, request: Request) -> str:
        """Returns what WWW-Authenticate says: 401, not 403, without a token."""
        return "Bearer"


class TooLarge(exceptions.APIException):
    """The body is larger than any list may be."""

    status_code = 413
    default_code = "too_large"
    default_detail = "The body is larger than 20 MB. Divide the list and send the parts."


class BoundedJSONParser(BaseParser):
    """JSON of a size that is said beforehand, and bounded."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Returns what the body says. Raises TooLarge, ParseError."""
        try:
            length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > LARGEST_BODY:
            raise TooLarge
        try:
            return json.loads(stream.read(length).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError("The body is not JSON in UTF-8.") from error


class UnitThrottle(SimpleRateThrottle):
    """So many requests a minute for a unit, whichever of its tokens they come with."""

    scope = "unit"
    rate = "120/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """Returns the unit's key, or the address's where nobody signed in."""
        who = request.auth.organisation_id if isinstance(request.auth, Membership) else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": who}


class UnitView(views.APIView):
    """An address for units' computers."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]
    parser_classes = [BoundedJSONParser]
    renderer_classes = [JSONRenderer]
    throttle_classes = [UnitThrottle]

    def by(self, request: Request) -> Membership:
        """Returns the membership that the token works under."""
        if not isinstance(request.auth, Membership):
            raise exceptions.NotAuthenticated
        return request.auth

    def get_exception_handler(self) -> Any:
        """Errors have one shape."""
        return answer_of


def answer_of(error: Exception, context: dict[str, Any]) -> Response | None:
    """Returns an error as `{"error": code, "message": words}`, with the headers that DRF gives it."""
    answer = views.exception_handler(error, context)
    if answer is None:
        return None
    detail = getattr(error, "detail", "")
    code = getattr(detail, "code", None) or {403: "permission_denied", 404: "not_found"}.get(
        answer.status_code, "error"
    )
    words = str(detail) or {404: "There is nothing here that your unit has sent."}.get(
        answer.status_code, "Not allowed."
    )
    answer.data = {"error": code, "message": words}
    return answer


def refused(status: int, code: str, message: str, errors: list[dict[str, Any]] | None = None) -> Response:
    """Returns an error of ours; `errors` are those of rows."""
    return Response({"error": code, "message": message, **({"errors": errors} if errors else {})}, status=status)

"""When a letter validated now will arrive, for programs of the centre."""

from typing import Any

from django.utils import timezone
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, views
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle

from cohort.api.plumbing import answer_of
from cohort.api.serializers import ErrorOut
from letters.actions.arrivals import latest_arrivals
from letters.policies import check_can_send


class AreaOut(serializers.Serializer[Any]):
    """One care system."""

    id = serializers.UUIDField(allow_null=True, help_text="Null for practices of no care system.")
    name = serializers.CharField()
    waiting = serializers.IntegerField(help_text="Letters in the queue.")
    to_plan = serializers.IntegerField(help_text="People to be written to who are in no batch yet.")
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="Since when the oldest is in the queue.")
    last_date = serializers.DateField(allow_null=True, help_text="When the last of those waiting should arrive.")
    expected_date = serializers.DateField(allow_null=True, help_text="When a letter validated now should arrive.")


class StepOut(serializers.Serializer[Any]):
    """One step on the way."""

    name = serializers.CharField()
    channel = serializers.CharField()
    count = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True)
    limit_seconds = serializers.IntegerField(help_text="How long one may be in it.")
    too_old = serializers.IntegerField(help_text="How many are in it for longer: an alarm where any is.")


class ArrivalsOut(serializers.Serializer[Any]):
    """When letters arrive. A date is null where it cannot be told."""

    at = serializers.DateTimeField(help_text="When it was counted: not more than five minutes ago.")
    expected_date = serializers.DateField(allow_null=True)
    assumptions = serializers.ListField(child=serializers.CharField())
    areas = AreaOut(many=True)
    steps = StepOut(many=True)


class SignedIn(SessionAuthentication):
    """Somebody who has signed in on the pages."""

    def authenticate_header(self, request: Request) -> str:
        """Returns what WWW-Authenticate says: 401, not 403, for nobody."""
        return "Session"


class SignedInScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """What the OpenAPI document says of it."""

    target_class = "letters.api.views.SignedIn"


class OperatorThrottle(UserRateThrottle):
    """Nothing new comes of asking oftener than once in two seconds."""

    rate = "30/min"


class Arrivals(views.APIView):
    """When a letter validated now should arrive."""

    authentication_classes = [SignedIn]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    throttle_classes = [OperatorThrottle]

    @extend_schema(operation_id="arrivals", responses={200: ArrivalsOut, 401: ErrorOut, 403: ErrorOut, 429: ErrorOut})
    def get(self, request: Request) -> Response:
        """The day for each care system, and what waits longer than it may. For the centre's operators, signed in."""
        check_can_send(request.membership)  # type: ignore[attr-defined]
        return Response(ArrivalsOut(latest_arrivals(at=timezone.now())).data)

    def get_exception_handler(self) -> Any:
        """Errors have one shape."""
        return answer_of

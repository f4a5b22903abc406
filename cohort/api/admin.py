"""Tokens of units' computers in Django admin: made and shown once, revoked, never changed. Nobody's data."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from cohort.actions.hospitals import tokens as actions
from cohort.models import UnitToken
from cohort.queries.hospitals import open_units
from shielding.administration import ByRole


class MakeTokenForm(forms.ModelForm):
    """For which unit and computer, and for how long."""

    unit = forms.ModelChoiceField(open_units())
    days = forms.IntegerField(label="Days until it expires", min_value=1, max_value=actions.LONGEST_DAYS, initial=90)

    class Meta:
        model = UnitToken
        fields = ("name",)


@admin.register(UnitToken)
class UnitTokenAdmin(ByRole, admin.ModelAdmin):
    """What hospital units' computers use the API with."""

    list_display = ("begins", "name", "unit", "expires_at", "last_used_at", "revoked_at")
    ordering = ("-made_at",)
    actions = ("revoke",)
    form = MakeTokenForm
    may_change = False
    list_select_related = ("membership__organisation",)

    @admin.display(description="unit")
    def unit(self, token: UnitToken) -> str:
        """The unit it is for."""
        return str(token.membership.organisation)

    @admin.action(description="Revoke, from this moment")
    def revoke(self, request: HttpRequest, queryset: QuerySet[UnitToken]) -> None:
        """Ends tokens."""
        for token in queryset:
            actions.revoke_token(token_id=token.pk, by=request.membership, at=timezone.now())  # type: ignore[attr-defined]
        self.message_user(request, "Revoked. Whoever uses them is refused from now on.")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only the list's actions change a token."""
        return obj is None

    def get_fields(self, request: HttpRequest, obj: UnitToken | None = None) -> tuple[str, ...]:
        """What is asked for a new token; what is known of one that there is."""
        known = ("name", "begins", "made_at", "made_by", "expires_at", "last_used_at", "revoked_at", "revoked_by")
        return known if obj else ("unit", "name", "days")

    def save_model(self, request: HttpRequest, obj: UnitToken, form: forms.ModelForm, change: bool) -> None:
        """Makes the token and shows its secret, once."""
        made, secret = actions.make_token(
            unit=form.cleaned_data["unit"],
            name=form.cleaned_data["name"],
            days=form.cleaned_data["days"],
            by=request.membership,  # type: ignore[attr-defined]
            at=timezone.now(),
        )
        for field in made._meta.concrete_fields:
            setattr(obj, field.attname, getattr(made, field.attname))
        self.message_user(request, f"The token is {secret} . Copy it now: nobody can read it again.", messages.WARNING)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing more: who made a token is in its own history."""

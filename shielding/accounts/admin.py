"""Administration of organisations and users. Nobody is deleted: memberships end, accounts close."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from shielding.accounts import admin_actions
from shielding.accounts.models import Membership, Organisation, User
from shielding.administration import ByRole


@admin.register(Organisation)
class OrganisationAdmin(ByRole, admin.ModelAdmin):
    """Practices, councils and other bodies. What other systems know them by stays as it was made."""

    list_display = ("name", "code", "kind", "postcode", "closed_date")
    list_filter = ("kind",)
    search_fields = ("name", "code", "postcode")
    ordering = ("name", "code")
    autocomplete_fields = ("pcn", "ics", "local_authority")
    list_per_page = 50

    def get_readonly_fields(self, request: HttpRequest, obj: Organisation | None = None) -> tuple[str, ...]:
        """Code, kind and area are fixed once the organisation is made."""
        return ("code", "kind", "local_authority") if obj else ()


class MembershipForm(forms.ModelForm):
    """A current membership, with a box to end it."""

    end = forms.BooleanField(label="End now", required=False)


class CurrentMembershipInline(ByRole, admin.TabularInline):
    """What a user may do now, each with a box to end it."""

    model = Membership
    form = MembershipForm
    fields = readonly_fields = ("organisation", "role")
    verbose_name_plural = "memberships now"
    may_add = False
    extra = 0

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The membership, and the box."""
        return ("organisation", "role", "end")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Memberships that have not ended."""
        return super().get_queryset(request).filter(ended_at__isnull=True).select_related("organisation")


class NewMembershipInline(ByRole, admin.TabularInline):
    """Another thing a user may do."""

    model = Membership
    fields = ("organisation", "role")
    autocomplete_fields = ("organisation",)
    verbose_name_plural = "new memberships"
    may_change = False
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """None of those there are: this one only adds."""
        return super().get_queryset(request).none()


class EndedMembershipInline(ByRole, admin.TabularInline):
    """What a user could do once."""

    model = Membership
    fields = readonly_fields = ("organisation", "role", "ended_at")
    verbose_name_plural = "ended memberships"
    may_add = may_change = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Memberships that have ended."""
        return super().get_queryset(request).filter(ended_at__isnull=False).select_related("organisation")


class AddUserForm(AdminUserCreationForm):
    """A new user; without a password they choose one with "I have forgotten my password"."""

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        """Returns the address in lower case, as it is kept."""
        return self.cleaned_data["email"].lower()


@admin.register(User)
class UserAdmin(ByRole, DjangoUserAdmin):
    """People who sign in. To take somebody's access away, end their memberships or close the account."""

    list_display = ("name", "email", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "memberships__role")
    search_fields = ("name", "email")
    ordering = ("name", "email")
    filter_horizontal = ()
    readonly_fields = ("is_staff", "last_login", "joined_at")
    actions = ("remove_second_step",)
    inlines = (CurrentMembershipInline, NewMembershipInline, EndedMembershipInline)
    add_form = AddUserForm
    fieldsets = (
        (None, {"fields": ("name", "email", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "email", "usable_password", "password1", "password2")}),)

    @admin.action(description="Take away the second step at sign-in (phone or key lost)")
    def remove_second_step(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lets people who have lost their phone or key sign in with their password alone."""
        admin_actions.remove_second_step(users=queryset)
        self.message_user(request, "They can sign in with their password alone, and set up a second step again.")

    def get_inlines(self, request: HttpRequest, obj: User | None = None) -> tuple[type, ...]:
        """A new user has only memberships to come."""
        return self.inlines if obj else (NewMembershipInline,)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Saves through the action, which keeps sign-in's own copy of the address right."""
        admin_actions.save_user(user=obj)

    def save_formset(self, request: HttpRequest, form: forms.ModelForm, formset: Any, change: bool) -> None:
        """Ends the memberships whose box is ticked, and saves new ones."""
        at = timezone.now()
        for row in formset.forms:
            if row.cleaned_data.get("end"):
                try:
                    ended = admin_actions.end_membership(membership=row.instance, at=at, by=request.membership)  # type: ignore[attr-defined]
                    row.instance.ended_at = ended.ended_at  # else saving the row below would undo it
                except admin_actions.NotYours as error:
                    self.message_user(request, str(error), messages.ERROR)
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        """Saves memberships; whoever is now an administrator may use these pages, others may not."""
        super().save_related(request, form, formsets, change)
        admin_actions.match_staff_flag(user=form.instance)

"""Who uses the system: organisations, users, and the role each user has in an organisation."""

import uuid
from typing import Any

import pghistory
import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

#: They are closed or made inactive instead: what was said and done, by whom and for whom, has to stay readable.
NEVER_DELETED = pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)


@pghistory.track()
class Organisation(models.Model):
    """A practice, council or other body. `code` is its ODS code, or the GSS code of a local authority."""

    class Kind(models.TextChoices):
        CENTRE = "CENTRE", "National team"
        PRACTICE = "PRACTICE", "GP practice"
        PCN = "PCN", "Primary care network"
        ICS = "ICS", "Integrated care system"
        HOSPITAL = "HOSPITAL", "Hospital"
        LOCAL_AUTHORITY = "LOCAL_AUTHORITY", "Local authority"

    class UnitKind(models.TextChoices):
        """What a hospital's unit treats."""

        CANCER = "CANCER", "Cancer unit"
        DIALYSIS = "DIALYSIS", "Dialysis unit"
        CYSTIC_FIBROSIS = "CYSTIC_FIBROSIS", "Cystic fibrosis clinic"
        TRANSPLANT = "TRANSPLANT", "Transplant unit"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind)
    unit_kind = models.CharField(
        "kind of unit", max_length=20, choices=UnitKind, blank=True, db_default="", help_text="Of a hospital's unit."
    )
    pcn = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="PCN")
    ics = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="ICS")
    local_authority = models.OneToOneField("places.LocalAuthority", models.PROTECT, null=True, blank=True)
    address_lines = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    postcode = models.CharField(max_length=8, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    opened_date = models.DateField(null=True, blank=True)
    closed_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="LOCAL_AUTHORITY", local_authority__isnull=False)
                | (~Q(kind="LOCAL_AUTHORITY") & Q(local_authority__isnull=True)),
                name="local_authority_organisations_have_an_area",
            ),
            models.CheckConstraint(
                condition=Q(kind="HOSPITAL") | Q(unit_kind=""), name="only_hospitals_have_a_kind_of_unit"
            ),
        ]
        triggers = [NEVER_DELETED]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes users who sign in with an e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Returns a saved user; without a password nobody can sign in as them."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Returns a user who may do everything in Django admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do comes from their memberships."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("may use Django admin", default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        triggers = [NEVER_DELETED]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Returns the name as shown on screens."""
        return self.name


class Role(models.TextChoices):
    """What somebody does in an organisation."""

    CENTRAL_OPERATOR = "CENTRAL_OPERATOR", "Central operator"
    CENTRAL_CLINICIAN = "CENTRAL_CLINICIAN", "Central clinician"
    PRACTICE_STAFF = "PRACTICE_STAFF", "Practice staff"
    GP = "GP", "GP"
    COORDINATOR = "COORDINATOR", "Care coordinator"
    HOSPITAL_STAFF = "HOSPITAL_STAFF", "Hospital unit staff"
    LA_STAFF = "LA_STAFF", "Local authority staff"
    ICS_LEAD = "ICS_LEAD", "Integrated care system lead"
    ADMINISTRATOR = "ADMINISTRATOR", "Administrator"


@pghistory.track()
class Membership(models.Model):
    """One user's role in one organisation. Ended, never deleted: old actions keep their author's role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"],
                condition=Q(ended_at__isnull=True),
                name="one_current_membership_per_role",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.organisation}"

"""How django-allauth behaves here, and what it says."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

#: What a page says after allauth has done something; what is not named here goes without saying.
_DONE = {
    "account/messages/password_changed.txt": "You have changed your password.",
    "mfa/messages/totp_activated.txt": "Your authenticator app is set up. You will need it to sign in.",
    "mfa/messages/totp_deactivated.txt": "Your authenticator app is no longer used to sign in.",
    "mfa/messages/webauthn_added.txt": "Your security key is added. You can use it to sign in.",
    "mfa/messages/webauthn_removed.txt": "The security key is removed.",
}
#: What the e-mail about a change to an account says has happened.
_NOTICES = {
    "account/email/password_changed": "Your password was changed.",
    "account/email/password_reset": "Your password was changed with a link sent to this address.",
    "mfa/email/totp_activated": "An authenticator app was set up.",
    "mfa/email/totp_deactivated": "Your authenticator app was removed.",
    "mfa/email/recovery_codes_generated": "New recovery codes were made. Older ones no longer work.",
    "mfa/email/webauthn_added": "A security key was added.",
    "mfa/email/webauthn_removed": "A security key was removed.",
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator; nobody signs up."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address or the password is wrong",
        "enter_current_password": "That is not your password. Enter your password as it is now",
        "incorrect_password": "That is not your password",
        "too_many_login_attempts": "Too many wrong tries. Wait 5 minutes, then try again or reset your password",
        "rate_limited": "Too many tries. Wait 5 minutes, then try again",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False: an administrator makes accounts."""
        return False

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Shows what was done in our words; says nothing where the next page says enough."""
        text = message or _DONE.get(message_template or "")
        if text:
            super().add_message(request, level, message=text, extra_tags=extra_tags)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tells the owner of an account by e-mail what was changed on it."""
        happened = _NOTICES.get(template_prefix)
        if happened:
            super().send_notification_mail(
                "account/email/notice", user, {**(context or {}), "happened": happened}, email or user.get_username()
            )


class SecondStepAdapter(DefaultMFAAdapter):
    """The second step of signing in: what it is called and what it says."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code is wrong or too old. Enter the code that shows now",
        "cannot_delete_authenticator": "You cannot stop using a second step",
        "cannot_generate_recovery_codes": "Set up an authenticator app or a security key first",
    }

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """Returns a name for a new key, to be changed by its owner."""
        count: int = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Key {count + 1}"

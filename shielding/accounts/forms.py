"""allauth's forms in plain English: labels, hints and errors only, the rest is allauth's."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.forms import BaseForm

_CHOOSING_HINT = "At least 12 characters, and not a password that many people use. Three words make a good one."


def _say(form: BaseForm, name: str, *, label: str, required: str, hint: str = "") -> None:
    field = form.fields[name]
    field.label, field.help_text = label, hint
    field.error_messages["required"] = required


class SignInForm(account.LoginForm):
    """E-mail address and password."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "login", label="E-mail address", required="Enter your e-mail address")
        self.fields["login"].error_messages["invalid"] = "Enter an e-mail address such as name@example.org"
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        _say(self, "password", label="Password", required="Enter your password")


class ForgottenPasswordForm(account.ResetPasswordForm):
    """The address to send a link to."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "email", label="E-mail address", required="Enter your e-mail address")
        self.fields["email"].error_messages["invalid"] = "Enter an e-mail address such as name@example.org"


class NewPasswordForm(account.ResetPasswordKeyForm):
    """A new password, by a link that was sent."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "password1", label="New password", required="Enter a new password", hint=_CHOOSING_HINT)
        _say(self, "password2", label="New password again", required="Enter the new password again")


class ChangePasswordForm(account.ChangePasswordForm):
    """A new password, by somebody who knows the old one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "oldpassword", label="Your password now", required="Enter your password as it is now")
        _say(self, "password1", label="New password", required="Enter a new password", hint=_CHOOSING_HINT)
        _say(self, "password2", label="New password again", required="Enter the new password again")


class ConfirmPasswordForm(account.ReauthenticateForm):
    """The password once more, before something that matters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "password", label="Password", required="Enter your password")


def _ask_for_code(form: BaseForm, *, hint: str) -> None:
    _say(form, "code", label="Code", required="Enter the code", hint=hint)
    form.fields["code"].widget.attrs |= {"class": "nhsuk-input--width-10", "inputmode": "numeric"}


class CodeForm(mfa.AuthenticateForm):
    """The second step of signing in."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _ask_for_code(self, hint="6 numbers from your authenticator app, or one of your recovery codes.")


class ConfirmCodeForm(mfa.ReauthenticateForm):
    """A code once more, before something that matters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _ask_for_code(self, hint="6 numbers from your authenticator app, or one of your recovery codes.")


class SetUpAppForm(totp.ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _ask_for_code(self, hint="6 numbers that the app shows now.")


class AddKeyForm(webauthn.AddWebAuthnForm):
    """A new security key, with a name to tell it by."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "name", label="Name of the key", required="Enter a name", hint="So that you can tell keys apart.")
        self.fields["name"].max_length = 100


class RenameKeyForm(webauthn.EditWebAuthnForm):
    """Another name for a security key."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say(self, "name", label="Name of the key", required="Enter a name")

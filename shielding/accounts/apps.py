"""App configuration of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, organisations, roles, sign-in."""

    name = "shielding.accounts"
    verbose_name = "Accounts and organisations"

"""Django admin as an app of ours: the same, with our own front door."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """In INSTALLED_APPS in place of `django.contrib.admin`."""

    default_site = "shielding.accounts.admin_site.AdminSite"

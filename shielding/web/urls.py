"""Addresses of the pages that show all apps together."""

from django.urls import path

from shielding.web import ledger, views

urlpatterns = [
    path("", views.home, name="home"),
    path("organisation", views.choose_organisation, name="choose_organisation"),
    path("your-account", views.your_account, name="your_account"),
    path("ledger/", ledger.show, name="ledger"),
    path("healthz", views.healthz, name="healthz"),
]

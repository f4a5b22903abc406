"""Addresses of the coordinators app."""

from django.urls import path

from coordinators.web import caseload, referrals

app_name = "coordinators"
urlpatterns = [
    path("caseload/", caseload.caseload, name="caseload"),
    path("caseload/<uuid:patient_id>/", caseload.person, name="person"),
    path("referrals/", referrals.referrals, name="referrals"),
    path("referrals/download/", referrals.download, name="download"),
    path("referrals/<uuid:referral_id>/", referrals.referral, name="referral"),
]

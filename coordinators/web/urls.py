"""Addresses of the coordinators app."""

from django.urls import path

from coordinators.web import agreed_actions, caseload, conference_people, conferences, referrals

app_name = "coordinators"
urlpatterns = [
    path("caseload/", caseload.caseload, name="caseload"),
    path("caseload/<uuid:patient_id>/", caseload.person, name="person"),
    path("referrals/", referrals.referrals, name="referrals"),
    path("referrals/download/", referrals.download, name="download"),
    path("referrals/<uuid:referral_id>/", referrals.referral, name="referral"),
    path("conferences/", conferences.conferences, name="conferences"),
    path("conferences/plan/", conferences.plan, name="conference_plan"),
    path("conferences/actions/", agreed_actions.agreed_actions, name="agreed_actions"),
    path("conferences/actions/<uuid:action_id>/", agreed_actions.agreed_action, name="agreed_action"),
    path("conferences/<uuid:conference_id>/", conferences.conference, name="conference"),
    path("conferences/<uuid:conference_id>/change/", conferences.change, name="conference_change"),
    path("conferences/<uuid:conference_id>/cancel/", conferences.cancel, name="conference_cancel"),
    path("conferences/<uuid:conference_id>/add/", conferences.add, name="conference_add"),
    path("conferences/<uuid:conference_id>/attendance/", conferences.attendance, name="conference_attendance"),
    path("conferences/<uuid:conference_id>/minutes/", conferences.minutes, name="conference_minutes"),
    path("conferences/<uuid:conference_id>/people/<uuid:item_id>/", conference_people.person, name="conference_person"),
]

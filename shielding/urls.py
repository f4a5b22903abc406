"""Every address of the service. Ids in them are opaque; an NHS number never is in one."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("shielding.web.urls")),
    path("", include("cohort.web.urls")),
    path("", include("coordinators.web.urls")),
    path("", include("letters.web.urls")),
    path("api/v1/", include("cohort.api.urls")),
    path("api/v1/", include("letters.api.urls")),
    path("accounts/", include("shielding.accounts.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "shielding.web.errors.bad_request"
handler403 = "shielding.web.errors.forbidden"
handler404 = "shielding.web.errors.not_found"
handler500 = "shielding.web.errors.server_error"

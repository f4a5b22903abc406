"""Addresses of the letters app."""

from django.urls import path

from letters.web import arrivals, callbacks, contact_history, hospitals, lists, views

app_name = "letters"
urlpatterns = [
    path("lists/<uuid:list_id>/reopen/", lists.reopen, name="reopen_list"),
    path("arrivals/", arrivals.arrivals, name="arrivals"),
    path("batches/", views.batches, name="batches"),
    path("batches/plan/", views.plan, name="plan"),
    path("batches/templates/<int:version_id>/", views.preview, name="preview"),
    path("batches/<uuid:batch_id>/", views.batch, name="batch"),
    path("batches/<uuid:batch_id>/approve/", views.approve, name="approve"),
    path("batches/<uuid:batch_id>/release/", views.release, name="release"),
    path("batches/<uuid:batch_id>/stop/", views.stop, name="stop"),
    path("batches/<uuid:batch_id>/try-again/", views.try_again, name="try_again"),
    path("callbacks/notify/", callbacks.notify, name="notify_callback"),
    path("callbacks/notify/returned/", callbacks.notify_returned, name="notify_returned"),
    path("unit/letters/", hospitals.unit_letters, name="unit_letters"),
    path("people/<uuid:patient_id>/contact/", contact_history.contact_history, name="contact_history"),
    path("lists/people/<uuid:patient_id>/hospital-letters/", hospitals.copies, name="copies"),
    path("lists/people/<uuid:patient_id>/hospital-letters/<uuid:message_id>.pdf", hospitals.copy, name="copy"),
]

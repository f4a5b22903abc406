"""Addresses of the letters app."""

from django.urls import path

from letters.web import arrivals, callbacks, contact_history, doubts, hospitals, lists, templates, views

app_name = "letters"
urlpatterns = [
    path("lists/<uuid:list_id>/reopen/", lists.reopen, name="reopen_list"),
    path("arrivals/", arrivals.arrivals, name="arrivals"),
    path("doubts/", doubts.doubts, name="doubts"),
    path("doubts/<uuid:message_id>/", doubts.settle, name="settle_doubt"),
    path("batches/", views.batches, name="batches"),
    path("batches/plan/", views.plan, name="plan"),
    path("batches/templates/<int:version_id>/", views.preview, name="preview"),
    path("batches/<uuid:batch_id>/", views.batch, name="batch"),
    path("batches/<uuid:batch_id>/approve/", views.approve, name="approve"),
    path("batches/<uuid:batch_id>/release/", views.release, name="release"),
    path("batches/<uuid:batch_id>/pause/", views.pause, name="pause"),
    path("batches/<uuid:batch_id>/resume/", views.resume, name="resume"),
    path("batches/<uuid:batch_id>/stop/", views.stop, name="stop"),
    path("batches/<uuid:batch_id>/stop-part/", views.stop_part, name="stop_part"),
    path("batches/<uuid:batch_id>/messages/", views.batch_messages, name="batch_messages"),
    path("batches/<uuid:batch_id>/messages/<uuid:message_id>.pdf", views.letter, name="letter"),
    path("batches/<uuid:batch_id>/try-again/", views.try_again, name="try_again"),
    path("callbacks/notify/", callbacks.notify, name="notify_callback"),
    path("callbacks/notify/returned/", callbacks.notify_returned, name="notify_returned"),
    path("templates/", templates.index, name="templates"),
    path("templates/<slug:slug>/draft/", templates.draft, name="draft_template"),
    path("templates/versions/<int:version_id>/", templates.version, name="template_version"),
    path("templates/versions/<int:version_id>/letter.pdf", templates.version_proof, name="version_proof"),
    path("templates/versions/<int:version_id>/approve/", templates.approve, name="approve_version"),
    path("templates/versions/<int:version_id>/withdraw/", templates.withdraw, name="withdraw_version"),
    path("templates/versions/<int:version_id>/translate/", templates.translate, name="translate"),
    path("templates/translations/<int:translation_id>/", templates.translation, name="translation"),
    path(
        "templates/translations/<int:translation_id>/letter.pdf", templates.translation_proof, name="translation_proof"
    ),
    path(
        "templates/translations/<int:translation_id>/approve/",
        templates.approve_translation,
        name="approve_translation",
    ),
    path(
        "templates/translations/<int:translation_id>/withdraw/",
        templates.withdraw_translation,
        name="withdraw_translation",
    ),
    path("unit/letters/", hospitals.unit_letters, name="unit_letters"),
    path("people/<uuid:patient_id>/contact/", contact_history.contact_history, name="contact_history"),
    path("lists/people/<uuid:patient_id>/hospital-letters/", hospitals.copies, name="copies"),
    path("lists/people/<uuid:patient_id>/hospital-letters/<uuid:message_id>.pdf", hospitals.copy, name="copy"),
]

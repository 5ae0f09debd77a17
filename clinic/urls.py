"""Composes the two apps and the staff site. Every URL here has a row in the URL x role matrix test."""

from django.contrib import admin
from django.urls import include, path
from wagtail.admin import urls as editor_urls

from clinic import views
from clinic.people import pages as people_views
from intake.urls import evaluation

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("intake/", include("intake.urls")),
    path("evaluation/", include(evaluation)),
    path("staff/join/<str:token>/", people_views.join_view, name="join"),
    path("staff/", admin.site.urls),
    path("editor/", include(editor_urls)),
    path("", include("education.urls")),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error

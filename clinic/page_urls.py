"""Where every page is, but for those of the editor; every URL here has a row in the URL x role matrix test.

A web worker that nobody writes lessons in goes by these (`clinic.editor.EditorUrls`), and so never loads the
editor.
"""

from django.contrib import admin
from django.urls import include, path

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
    path("", include("education.urls")),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error

"""Composes all there is: the pages of both apps and of the staff site, and the editor."""

from django.urls import include, path
from wagtail.admin import urls as editor_urls

from clinic.page_urls import handler400, handler403, handler404, handler500
from clinic.page_urls import urlpatterns as pages

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("editor/", include(editor_urls)), *pages]

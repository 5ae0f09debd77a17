"""The patient's way, under /intake/."""

from django.urls import URLPattern

app_name = "intake"
urlpatterns: list[URLPattern] = []

"""Public pages: the home page and the lessons."""

from django.urls import path

from education import views

app_name = "education"

urlpatterns = [
    path("", views.home, name="home"),
    path("privacy/", views.privacy, name="privacy"),
    path("chain/", views.chain, name="chain"),
    path("chain/<slug:slug>/", views.part, name="part"),
    path("learn/", views.lessons, name="lessons"),
    path("learn/<slug:slug>/", views.lesson, name="lesson"),
]

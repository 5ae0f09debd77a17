"""The patient's way, under /intake/."""

from django.urls import path

from intake.views import ask, form, lesson, link

app_name = "intake"

urlpatterns = [
    path("open/<str:token>/", link.open_link, name="open"),
    path("start/", link.start, name="start"),
    path("leave/", form.leave, name="leave"),
    path("left/", link.left, name="left"),
    path("", form.tasks, name="tasks"),
    path("advice/", form.advice, name="advice"),
    path("check/", form.check, name="check"),
    path("sent/", form.sent, name="sent"),
    path("lesson/", lesson.open_lesson, name="lesson"),
    # Last: every other word is a page of the questionnaire.
    path("<slug:slug>/", form.page, name="page"),
]

# Under /evaluation/: for whoever has no link yet.
evaluation = (
    [
        path("ask/", ask.ask, name="ask"),
        path("asked/", ask.asked, name="asked"),
        path("asked/by-phone/", ask.asked, {"by_phone": True}, name="asked_by_phone"),
    ],
    "evaluation",
)

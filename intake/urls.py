"""The patient's way, under /intake/."""

from django.urls import path

from intake.views import ask, form, lesson, link, status, tablet

app_name = "intake"

urlpatterns = [
    path("open/<str:token>/", link.open_link, name="open"),
    path("code/", link.code, name="code"),
    path("tablet/", tablet.start, name="tablet"),
    path("tablet/<str:token>/", tablet.scanned, name="tablet_scanned"),
    path("lessons/<str:token>/", link.open_lessons, name="open_lessons"),
    path("lessons/", lesson.shared, name="lessons"),
    path("reminders/<str:token>/", link.stop_reminders, name="stop_reminders"),
    path("visit.ics", link.calendar_file, name="calendar"),
    path("earlier/", link.earlier, name="earlier"),
    path("start/", link.start, name="start"),
    path("stay/", form.stay, name="stay"),
    path("leave/", form.leave, name="leave"),
    path("left/", link.left, name="left"),
    path("", form.tasks, name="tasks"),
    path("advice/", form.advice, name="advice"),
    path("check/", form.check, name="check"),
    path("sent/", form.sent, name="sent"),
    path("status/", status.show, name="status"),
    path("answers/", status.answers, name="answers"),
    path("answers/looked/", status.looked, name="looked"),
    path("answers.txt", status.answers_file, name="answers_file"),
    path("change/", status.change, name="change"),
    path("keep/", status.keep, name="keep"),
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

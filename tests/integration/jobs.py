"""What waits to be done in the background, done here and now."""

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob


def run_jobs() -> list[str]:
    """Every job that waits, and what those queue, once each. Returns their names."""
    done = []
    while (job := ProcrastinateJob.objects.filter(status="todo").order_by("pk").first()) is not None:
        ProcrastinateJob.objects.filter(pk=job.pk).update(status="succeeded")
        app.tasks[job.task_name].func(**job.args)
        done.append(job.task_name)
    return done

"""`{{ at|clock }}`, `{{ at|day }}`, `{{ at|moment }}` and more: times as `intake.patients.wording` says."""

from django import template

from intake.patients import wording

register = template.Library()
register.filter("clock", wording.clock)
register.filter("day", wording.day)
register.filter("moment", wording.moment)
register.filter("dated", wording.dated)
register.filter("seconds", wording.seconds)

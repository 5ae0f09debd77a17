"""`{{ at|clock }}`, `{{ at|day }}` and `{{ at|moment }}`: times in the words of `intake.patients.wording`."""

from django import template

from intake.patients import wording

register = template.Library()
register.filter("clock", wording.clock)
register.filter("day", wording.day)
register.filter("moment", wording.moment)

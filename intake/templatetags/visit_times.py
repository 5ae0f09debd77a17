"""`{{ moment|clock }}` and `{{ moment|day }}`: times in the words of `intake.patients.wording`."""

from django import template

from intake.patients import wording

register = template.Library()
register.filter("clock", wording.clock)
register.filter("day", wording.day)

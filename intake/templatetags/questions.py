"""`{% questions form %}`: the questions of a page of the pre-visit form."""

from django import template

from intake.responses import skeleton

register = template.Library()
register.simple_tag(skeleton.draw, name="questions")

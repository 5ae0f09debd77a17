"""Choosers and date fields of the editor without inline script: what they start with stands in a template.

Wagtail writes `<script>new Chooser(...)</script>` after each; our policy forbids that. `static/js/pickers.js`
reads the `<template>` instead and makes the same call.
"""

import json
from typing import Any

from django.utils.html import format_html
from wagtail.admin.widgets.chooser import BaseChooser


def render(self: Any, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
    """The chooser's own markup, then what its script needs as data."""
    key = attrs["id"]
    data = self.get_value_data(value)
    arguments = json.dumps([key, self.get_js_init_options(key, name, data)])
    return format_html(
        '{}<template data-picker="{}" data-arguments="{}"></template>',
        self.render_html(name, data, attrs),
        self.js_constructor,
        arguments,
    )


def without_inline_script() -> None:
    """Every chooser of this process is drawn by `render`. Calling it again changes nothing."""
    BaseChooser.render = render

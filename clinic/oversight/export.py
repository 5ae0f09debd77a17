"""Lines of the trail as CSV, written while they are sent."""

import json
from array import array
from collections.abc import Iterator

from django.utils.translation import gettext as _

from education.clinic_info.sheets import csv_line
from intake.audit import AuditEvent
from intake.review.looked import CHUNK, as_lines
from intake.review.trail_details import told


def as_csv(keys: "array[int]") -> Iterator[str]:
    """The lines with these keys, in this order: a heading, then one line each. Times are UTC."""
    yield csv_line(
        [
            *(_("Line"), _("At"), _("Who"), _("Role"), _("Kind"), _("Id")),
            *(_("Action"), _("What"), _("Records"), _("Detail")),
        ]
    )
    for start in range(0, len(keys), CHUNK):
        found = AuditEvent.objects.in_bulk(keys[start : start + CHUNK].tolist())
        events = [found[key] for key in keys[start : start + CHUNK]]
        for event, line in zip(events, as_lines(events), strict=True):
            detail = told(event.action, event.detail)
            records = [f"{kind}:{key}" for kind, ids in event.objects_seen.items() for key in ids]
            yield csv_line(
                [
                    event.pk,
                    event.at.isoformat(),
                    line.who,
                    line.role,
                    event.actor_kind,
                    event.actor_id,
                    event.action,
                    line.action,
                    " ".join(records),
                    json.dumps(detail, ensure_ascii=False, sort_keys=True) if detail else "",
                ]
            )

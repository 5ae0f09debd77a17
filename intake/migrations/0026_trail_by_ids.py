"""A line of the trail is found by the ids it has, which cost it less than the keys made of them (ADR 0043)."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from intake.audit import TrailIds


class Migration(migrations.Migration):
    dependencies = [("intake", "0025_search_by_both_names")]

    operations = [
        migrations.RemoveIndex("auditevent", "audit_keys"),
        migrations.AddIndex(
            "auditevent",
            models.Index(
                condition=models.Q(actor_kind="patient"), fields=["actor_id", "at"], name="audit_patient"
            ),
        ),
        migrations.AddIndex("auditevent", GinIndex(TrailIds(), name="audit_ids")),
    ]

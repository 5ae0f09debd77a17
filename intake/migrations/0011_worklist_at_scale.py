"""What is next to read is found by index, however many intakes have been read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0006_intake_before_booking")]

    operations = [
        migrations.AddIndex(
            "queueentry",
            models.Index(
                condition=models.Q(("status__in", ["to-review", "in-review"])),
                fields=["at", "evaluation"],
                name="queue_to_do",
            ),
        ),
    ]

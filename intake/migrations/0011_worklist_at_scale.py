"""What is next to read is found by index, however many intakes have been read; names by their frequency.

Of a hundred commonest names the planner knows how many people bear them, and takes any other name for
nobody's. A search by both names then fetched everybody of one name to look at the other.
"""

from django.db import migrations, models

INDEXES = ("patient_family_begins", "patient_given_begins")


class Migration(migrations.Migration):
    dependencies = [("intake", "0010_figures")]

    operations = [
        migrations.AddIndex(
            "queueentry",
            models.Index(
                condition=models.Q(("status__in", ["to-review", "in-review"])),
                fields=["at", "evaluation"],
                name="queue_to_do",
            ),
        ),
        *(
            migrations.RunSQL(
                f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS 1000",
                f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS -1",
            )
            for name in INDEXES
        ),
    ]

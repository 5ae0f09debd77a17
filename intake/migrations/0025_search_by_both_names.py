"""Two names together are found in one index, without a look at everybody who bears the first of them."""

from django.db import migrations, models
from django.db.models.functions import Collate, Upper

BY_FREQUENCY = """
ALTER INDEX patient_family_given ALTER COLUMN 1 SET STATISTICS 1000;
ALTER INDEX patient_family_given ALTER COLUMN 2 SET STATISTICS 1000;
ALTER INDEX patient_given_family ALTER COLUMN 1 SET STATISTICS 1000;
ALTER INDEX patient_given_family ALTER COLUMN 2 SET STATISTICS 1000;
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0024_verdicts_by_finding")]

    operations = [
        migrations.RemoveIndex("patient", "patient_family_begins"),
        migrations.RemoveIndex("patient", "patient_given_begins"),
        migrations.AddIndex(
            "patient",
            models.Index(
                Collate(Upper("family_name"), "C"), Collate(Upper("given_name"), "C"), name="patient_family_given"
            ),
        ),
        migrations.AddIndex(
            "patient",
            models.Index(
                Collate(Upper("given_name"), "C"), Collate(Upper("family_name"), "C"), name="patient_given_family"
            ),
        ),
        migrations.RunSQL(BY_FREQUENCY, migrations.RunSQL.noop),
    ]

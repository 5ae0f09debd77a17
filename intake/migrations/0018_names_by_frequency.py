"""Names are searched by how many people bear them.

Of a hundred commonest names the planner knows how many people bear them, and takes any other name for nobody's. A
search by both names then fetched everybody of one name to look at the other.
"""

from django.db import migrations

# A database that has only some of the first seventeen would be taken for a whole one: nothing of Django's asks.
WHOLE = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM django_migrations WHERE app = 'intake' AND name = '0001_initial')
  AND NOT EXISTS (SELECT FROM django_migrations WHERE app = 'intake' AND name = '0017_said_by_open_pages') THEN
    RAISE EXCEPTION 'this database lacks migrations of intake before 0018: take them first, as CHANGELOG.md says';
  END IF;
END $$
"""

NAMES_BY_FREQUENCY = """
ALTER INDEX patient_family_begins ALTER COLUMN 1 SET STATISTICS 1000;
ALTER INDEX patient_given_begins ALTER COLUMN 1 SET STATISTICS 1000;
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_squashed_0017")]

    operations = [
        migrations.RunSQL(WHOLE, migrations.RunSQL.noop),
        migrations.RunSQL(NAMES_BY_FREQUENCY, migrations.RunSQL.noop),
    ]

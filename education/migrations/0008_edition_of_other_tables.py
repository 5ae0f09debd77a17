"""What a page of the library is made of stands partly in tables that have no model class of ours for a trigger."""

from django.db import migrations

# As in intake's 0018: a database that has only some of the first seven would be taken for a whole one.
WHOLE = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM django_migrations WHERE app = 'education' AND name = '0001_initial')
  AND NOT EXISTS (
    SELECT FROM django_migrations WHERE app = 'education' AND name = '0007_review_dates_and_names'
  ) THEN
    RAISE EXCEPTION 'this database lacks migrations of education before 0008: take them first, as CHANGELOG.md says';
  END IF;
END $$
"""

TABLES = (
    "education_lesson_links",
    "education_lesson_related",
    "education_lesson_sources",
    "wagtailimages_rendition",
)


class Migration(migrations.Migration):
    dependencies = [
        ("education", "0001_squashed_0007"),
        ("wagtailimages", "0027_image_description"),
    ]

    operations = [
        migrations.RunSQL(WHOLE, migrations.RunSQL.noop),
        *(
            migrations.RunSQL(
                f"CREATE OR REPLACE TRIGGER new_edition BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION education_new_edition_by_trigger()",
                f"DROP TRIGGER new_edition ON {table}",
            )
            for table in TABLES
        ),
    ]

"""Who reviewed a lesson, and which next review a release set."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# Lessons that nobody of the staff has saved have the day that a release gave them. Of the others it is not
# known, so their day counts as an editor's.
AS_LOADED = """
UPDATE education_shippedentry entry
SET next_review_on = lesson.next_review_on
FROM education_lesson lesson
WHERE entry.kind = 'lesson' AND entry.key = lesson.slug AND NOT EXISTS (
  SELECT FROM wagtailcore_revision revision
  JOIN django_content_type kind ON kind.id = revision.base_content_type_id
  WHERE kind.app_label = 'education' AND kind.model = 'lesson'
    AND revision.object_id = lesson.id::text AND revision.user_id IS NOT NULL
)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('education', '0006_edition'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='lesson',
            name='new_edition',
        ),
        migrations.AddField(
            model_name='lesson',
            name='reviewed_by',
            field=models.CharField(blank=True, editable=False, max_length=420, verbose_name='who reviewed it, as readers see it'),
        ),
        migrations.AddField(
            model_name='shippedentry',
            name='next_review_on',
            field=models.DateField(blank=True, null=True, verbose_name='next review as loaded'),
        ),
        migrations.RunSQL(AS_LOADED, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name='lesson',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='e666a11163b17184d837f895146525218a63ade3', level='STATEMENT', operation='INSERT OR UPDATE OF "id", "slug", "title", "lead", "part", "icon", "order", "summary", "body", "key_points", "path", "self_check", "category_id", "author_id", "live", "published_on", "updated_on", "next_review_on", "reviewed_on", "reviewed_by", "body_text" OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_69762', table='education_lesson', when='BEFORE')),
        ),
    ]

"""Who looked at whom is found by index (ADR 0043), and somebody signs for each week of the trail."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import intake.audit

# Two kinds of records may have the same number, so the kind is part of a key.
KEYS = """
CREATE FUNCTION intake_trail_keys(actor_kind varchar, actor_id varchar, seen jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ARRAY(
    SELECT kind.key || ':' || id.value
    FROM jsonb_each(seen) kind,
      jsonb_array_elements_text(CASE jsonb_typeof(kind.value) WHEN 'array' THEN kind.value ELSE '[]' END) id
  ) || CASE actor_kind WHEN 'patient' THEN ARRAY['by:' || actor_id] ELSE ARRAY[]::text[] END
$$
"""
NO_KEYS = "DROP FUNCTION intake_trail_keys(varchar, varchar, jsonb)"

APPEND_ONLY = """
DO $$
DECLARE role record;
BEGIN
  FOR role IN
    SELECT DISTINCT grantee FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'intake_weekreviewed'
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON intake_weekreviewed FROM %I', role.grantee);
  END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("intake", "0020_end_all_links"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(KEYS, NO_KEYS),
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "permissions": [("see_trail", "Can see who looked at what")],
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
            },
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("actor_kind", "staff")), fields=["actor_id", "at"], name="audit_staff"
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["action", "at"], name="audit_action")
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=django.contrib.postgres.indexes.GinIndex(intake.audit.TrailKeys(), name="audit_keys"),
        ),
        migrations.CreateModel(
            name="WeekReviewed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("week", models.DateField(unique=True, verbose_name="week")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="at"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "reviewed week of the trail",
                "verbose_name_plural": "reviewed weeks of the trail",
            },
        ),
        migrations.AddConstraint(
            model_name="weekreviewed",
            constraint=models.CheckConstraint(
                condition=models.Q(("week__iso_week_day", 1)), name="reviewed_from_a_monday"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="weekreviewed",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5bb58d35af9c14f80bb76879417972a8165503bf",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0b50f",
                    table="intake_weekreviewed",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
    ]

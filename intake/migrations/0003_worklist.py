"""The worklist: one row for each evaluation, kept by triggers (`intake/review/placing.py`)."""

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# The entries are locked before the sources are read: of two writers at once the second waits and then sees
# what the first wrote. Reading first could put an old "not urgent" over a new "urgent".
PLACE = """
CREATE FUNCTION intake_place_on_worklist(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(ids) = 0 THEN
    RETURN;
  END IF;
  PERFORM 1 FROM intake_queueentry q WHERE q.evaluation_id = ANY(ids) ORDER BY q.evaluation_id FOR UPDATE;
  INSERT INTO intake_queueentry AS entry
    (evaluation_id, response_id, physio_id, starts_at, status, urgent, up, down)
  SELECT
    e.id,
    COALESCE(waiting.response_id, r.id),
    e.physio_id,
    e.starts_at,
    CASE
      WHEN e.status = 'cancelled' THEN 'cancelled'
      WHEN r.id IS NULL THEN 'not-started'
      WHEN r.status = 'in-progress' THEN 'in-progress'
      WHEN v.id IS NULL THEN 'to-review'
      WHEN v.finished_at IS NULL THEN 'in-review'
      ELSE 'reviewed'
    END,
    waiting.response_id IS NOT NULL,
    chain.up,
    chain.down
  FROM intake_evaluation e
  LEFT JOIN intake_questionnaireresponse r
    ON r.evaluation_id = e.id AND r.status IN ('in-progress', 'completed', 'amended')
  LEFT JOIN intake_review v ON v.response_id = r.id
  LEFT JOIN LATERAL (
    SELECT f.response_id
    FROM intake_redflag f
    JOIN intake_questionnaireresponse x ON x.id = f.response_id
    WHERE x.evaluation_id = e.id
      AND f.tier IN ('emergency', 'same-day')
      AND f.state IN ('open', 'withdrawn')
    ORDER BY (x.id = r.id) DESC NULLS LAST, f.raised_at DESC
    LIMIT 1
  ) waiting ON true
  LEFT JOIN LATERAL (
    SELECT
      count(*) FILTER (WHERE f.direction = 'up') AS up,
      count(*) FILTER (WHERE f.direction = 'down') AS down
    FROM intake_finding f
    WHERE f.response_id = r.id
  ) chain ON true
  WHERE e.id = ANY(ids)
  ON CONFLICT (evaluation_id) DO UPDATE SET
    response_id = EXCLUDED.response_id,
    physio_id = EXCLUDED.physio_id,
    starts_at = EXCLUDED.starts_at,
    status = EXCLUDED.status,
    urgent = EXCLUDED.urgent,
    up = EXCLUDED.up,
    down = EXCLUDED.down
  WHERE (entry.response_id, entry.physio_id, entry.starts_at, entry.status,
         entry.urgent, entry.up, entry.down)
    IS DISTINCT FROM
        (EXCLUDED.response_id, EXCLUDED.physio_id, EXCLUDED.starts_at, EXCLUDED.status,
         EXCLUDED.urgent, EXCLUDED.up, EXCLUDED.down);
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0002_append_only_grants'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(PLACE, "DROP FUNCTION intake_place_on_worklist(uuid[])"),
        migrations.CreateModel(
            name='QueueEntry',
            fields=[
                ('evaluation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='queue_entry', serialize=False, to='intake.evaluation', verbose_name='evaluation')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('status', models.CharField(choices=[('not-started', 'Not started'), ('in-progress', 'In progress'), ('to-review', 'To review'), ('in-review', 'In review'), ('reviewed', 'Reviewed'), ('cancelled', 'Cancelled')], max_length=12, verbose_name='status')),
                ('urgent', models.BooleanField(verbose_name='urgent')),
                ('up', models.PositiveSmallIntegerField(verbose_name='foot to knee findings')),
                ('down', models.PositiveSmallIntegerField(verbose_name='knee to foot findings')),
            ],
            options={
                'verbose_name': 'place on the worklist',
                'verbose_name_plural': 'worklist',
            },
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(django.db.models.functions.comparison.Collate(django.db.models.functions.text.Upper('family_name'), 'C'), name='patient_family_begins'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(django.db.models.functions.comparison.Collate(django.db.models.functions.text.Upper('given_name'), 'C'), name='patient_given_begins'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evaluation',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT id AS evaluation_id FROM new_rows) changed)); RETURN NULL;', hash='39f86c0806c81448ca591af199635b96369280c2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_0f3d4', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_evaluation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evaluation',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT id AS evaluation_id FROM new_rows) changed)); RETURN NULL;', hash='0dbcef0b658b80dd775891d13528627996683116', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_fecda', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_evaluation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='7647827b6370c3b096e0647901bfd6257a5a7943', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_7f799', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='4fe10d2569993b56dfcc2b45c4b50d681fd53cea', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_204a6', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM old_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='f5b5770a873668ce00d2e0a2084aaf41fe4f8363', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_850b2', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT evaluation_id FROM new_rows) changed)); RETURN NULL;', hash='846b02e9ac85d169e474ae8163a162c40b32e5c4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_923f7', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT n.evaluation_id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.status IS DISTINCT FROM o.status) changed)); RETURN NULL;', hash='e12c358e3b4dd3242b90e1aaf7ff5cfe297195fb', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_e13a1', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT evaluation_id FROM old_rows) changed)); RETURN NULL;', hash='89ecd4eec93b287400bb60b7f5b3cba6711d1bd0', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_8d29a', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflag',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='1da650d26e50903424c027c61ad340c35629a136', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_c1ac7', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_redflag', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflag',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='55a1d2e934e16a2b982df8c01a7cfa84b487a568', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_d8e0a', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_redflag', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflag',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM old_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='02adcbf954e59f52e15d7f69a1bdbdd86edb65e2', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_72017', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_redflag', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='f7008cb1a1fdd156d71563a3df92f70eb6b15e1c', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_ba345', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='c2906bd7ce2b86e474bd24f2fca2be33dd94532f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_3dd76', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM old_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='5f26fd48ef528dccf722bfe725ad53144a7e536d', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_ea03d', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_review', when='AFTER')),
        ),
        migrations.AddField(
            model_name='queueentry',
            name='physio',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='physio'),
        ),
        migrations.AddField(
            model_name='queueentry',
            name='response',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='intake.questionnaireresponse', verbose_name='intake'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['starts_at', 'evaluation'], name='queue_time'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['status', 'starts_at', 'evaluation'], name='queue_status'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['physio', 'starts_at', 'evaluation'], name='queue_physio'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(condition=models.Q(('urgent', True)), fields=['starts_at', 'evaluation'], name='queue_urgent'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(condition=models.Q(('up__gt', 0)), fields=['starts_at', 'evaluation'], name='queue_up'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(condition=models.Q(('down__gt', 0)), fields=['starts_at', 'evaluation'], name='queue_down'),
        ),
        # Evaluations that are already there get their place from the trigger.
        migrations.RunSQL("UPDATE intake_evaluation SET status = status", migrations.RunSQL.noop),
    ]

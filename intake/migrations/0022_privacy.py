"""Erasure: the one way in which rows that are only added to may go, and what is left of it (ADR 0044)."""

import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


KEPT_UNTIL = """
-- The patient and whoever turned out to be her.
CREATE FUNCTION intake_person(person uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
  WITH RECURSIVE same AS (
    SELECT id FROM intake_patient WHERE id = person
    UNION
    SELECT p.id FROM intake_patient p JOIN same ON p.replaced_by_id = same.id
  )
  SELECT COALESCE(array_agg(id), '{}') FROM same
$$;

-- Until when the clinical record of a patient has to stay; NULL where she has none. It begins with a visit that took
-- place, a form that was sent, or an answer that alarmed the clinic, and ends `years` after the last thing that
-- anybody did for her; of a minor not before she is 19.
CREATE FUNCTION intake_kept_until(person uuid, years integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  WITH evaluation AS (
    SELECT id, starts_at, status FROM intake_evaluation WHERE patient_id = ANY(intake_person(person))
  ), response AS (
    SELECT r.id, r.authored FROM intake_questionnaireresponse r JOIN evaluation e ON e.id = r.evaluation_id
  ), act AS (
    SELECT starts_at AS at FROM evaluation WHERE status = 'booked' AND starts_at <= now()
    UNION ALL SELECT authored FROM response WHERE authored IS NOT NULL
    UNION ALL SELECT f.raised_at FROM intake_redflag f JOIN response r ON r.id = f.response_id
    UNION ALL SELECT c.at FROM intake_redflagcontact c JOIN response r ON r.id = c.response_id
    UNION ALL SELECT greatest(v.started_at, v.finished_at) FROM intake_review v JOIN response r ON r.id = v.response_id
    UNION ALL SELECT c.at FROM intake_closing c JOIN response r ON r.id = c.response_id
    UNION ALL SELECT m.at FROM intake_measurement m JOIN response r ON r.id = m.response_id
    UNION ALL SELECT m.at FROM intake_missedlink m JOIN response r ON r.id = m.response_id
    UNION ALL SELECT v.at FROM intake_finding f JOIN response r ON r.id = f.response_id
      JOIN intake_verdict v ON v.finding_id = f.id
    UNION ALL SELECT o.at FROM intake_finding f JOIN response r ON r.id = f.response_id
      JOIN intake_outcome o ON o.finding_id = f.id
    UNION ALL SELECT s.at FROM intake_lessonshare s JOIN evaluation e ON e.id = s.evaluation_id
  )
  SELECT greatest(
    (SELECT max(at) FROM act) + make_interval(years => greatest(years, 7)),
    CASE WHEN EXISTS (SELECT FROM act)
      THEN (SELECT max(birth_date) FROM intake_patient WHERE id = person) + make_interval(years => 19)
    END
  )
$$;
"""

# Runs as the owner: the role that runs the product may not delete what is only added to. What it may not do is written
# here, not in the product: a record goes only after its day, and never without a row that says so.
ERASE = """
CREATE FUNCTION intake_erase(
  person uuid, whole boolean, years integer, actor_kind text, actor_id text, reason text
) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  kept timestamptz;
  people uuid[];
  evaluations uuid[];
  responses uuid[];
  links uuid[];
  shares uuid[];
  step text[];
  steps text[][];
  number bigint;
  counts jsonb := '{}';
BEGIN
  PERFORM 1 FROM intake_patient WHERE id = person FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  kept := intake_kept_until(person, years);
  IF whole AND kept > now() THEN
    RAISE EXCEPTION 'the record has to be kept' USING ERRCODE = 'check_violation';
  END IF;
  people := intake_person(person);
  evaluations := ARRAY(SELECT id FROM intake_evaluation WHERE patient_id = ANY(people));
  -- Without the whole, only drafts go, and none that alarmed anybody.
  responses := ARRAY(
    SELECT r.id FROM intake_questionnaireresponse r
    WHERE r.evaluation_id = ANY(evaluations) AND (whole OR r.authored IS NULL AND NOT EXISTS (
      SELECT FROM intake_redflag f WHERE f.response_id = r.id
    ))
  );
  links := ARRAY(SELECT id FROM intake_invitation WHERE evaluation_id = ANY(evaluations));
  shares := ARRAY(SELECT id FROM intake_lessonshare WHERE evaluation_id = ANY(evaluations));
  PERFORM set_config('pgtrigger.ignore', (
    SELECT '{' || string_agg(DISTINCT tgname::text, ',') || '}' FROM pg_trigger
    WHERE tgname LIKE 'pgtrigger_append_only_%' OR tgname LIKE 'pgtrigger_never_deleted_%'
  ), true);
  steps := ARRAY[
    ['intake_findingtally', 'finding_id IN (SELECT id FROM intake_finding WHERE response_id = ANY($1))'],
    ['intake_verdict', 'finding_id IN (SELECT id FROM intake_finding WHERE response_id = ANY($1))'],
    ['intake_outcome', 'finding_id IN (SELECT id FROM intake_finding WHERE response_id = ANY($1))'],
    ['intake_finding', 'response_id = ANY($1)'],
    ['intake_screeningrun', 'response_id = ANY($1)'],
    ['intake_redflagevent', 'flag_id IN (SELECT id FROM intake_redflag WHERE response_id = ANY($1))'],
    ['intake_redflagcontact', 'response_id = ANY($1)'],
    ['intake_redflag', 'response_id = ANY($1)'],
    ['intake_measurement', 'response_id = ANY($1)'],
    ['intake_missedlink', 'response_id = ANY($1)'],
    ['intake_closing', 'response_id = ANY($1)'],
    ['intake_review', 'response_id = ANY($1)'],
    ['intake_questionnaireresponse', 'id = ANY($1)'],
    ['intake_accessevent', 'invitation_id = ANY($2) OR share_id = ANY($3)'],
    ['intake_accesscode', 'invitation_id = ANY($2)'],
    ['intake_tabletcode', 'invitation_id = ANY($2)'],
    ['intake_patientsession', 'invitation_id = ANY($2) OR share_id = ANY($3)'],
    ['intake_reminder', 'evaluation_id = ANY($4)'],
    ['intake_evaluationrequest', 'evaluation_id = ANY($4)'],
    ['intake_invitation', 'id = ANY($2) AND NOT EXISTS (
        SELECT FROM intake_questionnaireresponse r WHERE r.invitation_id = intake_invitation.id)']
  ];
  IF whole THEN
    -- The worklist last: triggers write it anew when what it rests on goes.
    steps := steps || ARRAY[
      ['intake_lessonshare', 'id = ANY($3)'],
      ['intake_bookingevent', 'evaluation_id = ANY($4)'],
      ['intake_queueentry', 'evaluation_id = ANY($4)'],
      ['intake_evaluation', 'id = ANY($4)'],
      ['intake_patient', 'id = ANY($5)']
    ];
  END IF;
  FOREACH step SLICE 1 IN ARRAY steps LOOP
    EXECUTE format('DELETE FROM %I WHERE %s', step[1], step[2])
      USING responses, links, shares, evaluations, people;
    GET DIAGNOSTICS number = ROW_COUNT;
    IF number > 0 THEN
      counts := counts || jsonb_build_object(step[1], number);
    END IF;
  END LOOP;
  PERFORM set_config('pgtrigger.ignore', '{}', true);
  IF NOT whole THEN
    UPDATE intake_invitation SET token_hash = NULL, revoked_at = COALESCE(revoked_at, now()) WHERE id = ANY(links);
    UPDATE intake_lessonshare SET token_hash = NULL, revoked_at = COALESCE(revoked_at, now()) WHERE id = ANY(shares);
    UPDATE intake_patient SET email = '', phone = '', reminders_off = true WHERE id = ANY(people);
  END IF;
  INSERT INTO intake_erasure (patient_id, at, actor_kind, actor_id, reason, kept_until, counts)
  SELECT one, now(), actor_kind, actor_id, reason, CASE WHEN NOT whole THEN kept END,
    CASE WHEN one = person THEN counts ELSE '{}' END
  FROM unnest(people) AS one;
  RETURN counts;
END $$;

REVOKE EXECUTE ON FUNCTION intake_erase(uuid, boolean, integer, text, text, text) FROM PUBLIC;

-- Whoever may not write a row of it by hand cannot say that something was erased.
DO $$
DECLARE role record;
BEGIN
  FOR role IN
    SELECT DISTINCT grantee FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'intake_erasure'
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON intake_erasure FROM %I', role.grantee);
  END LOOP;
END $$;
"""
NO_ERASE = """
DROP FUNCTION intake_erase(uuid, boolean, integer, text, text, text);
DROP FUNCTION intake_kept_until(uuid, integer);
DROP FUNCTION intake_person(uuid);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0021_who_looked'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('patient_id', models.UUIDField(verbose_name='patient')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='at')),
                ('actor_kind', models.CharField(max_length=12, verbose_name='who')),
                ('actor_id', models.CharField(blank=True, max_length=64, verbose_name='id of who')),
                ('reason', models.CharField(choices=[('asked', 'The patient asked for it'), ('mistake', 'Entered by mistake'), ('time', 'The time to keep it is over')], max_length=8, verbose_name='reason')),
                ('kept_until', models.DateTimeField(null=True, verbose_name='record kept until')),
                ('counts', models.JSONField(default=dict, verbose_name='rows by table')),
            ],
            options={
                'verbose_name': 'erasure',
                'verbose_name_plural': 'erasures',
                'ordering': ['-at', '-id'],
                'permissions': [('keep_privacy', 'Can export and erase all that is kept about a patient')],
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='questionnaireresponse',
            name='sent_is_final',
        ),
        migrations.AddField(
            model_name='questionnaireresponse',
            name='privacy_version',
            field=models.PositiveIntegerField(null=True, verbose_name='privacy notice'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='sent_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'completed\', \'amended\') AND (OLD."answers" IS DISTINCT FROM (NEW."answers") OR OLD."document" IS DISTINCT FROM (NEW."document") OR OLD."authored" IS DISTINCT FROM (NEW."authored") OR OLD."submit_key" IS DISTINCT FROM (NEW."submit_key") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR OLD."privacy_version" IS DISTINCT FROM (NEW."privacy_version") OR (OLD."replaced_at" IS NOT NULL AND OLD."replaced_at" IS DISTINCT FROM (NEW."replaced_at"))))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='95d076fbca35a553ac01d8a084fe8109960a5e26', operation='UPDATE', pgid='pgtrigger_sent_is_final_b04e0', table='intake_questionnaireresponse', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(fields=['patient_id'], name='erasure_patient'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['asked', 'mistake', 'time'])), name='erasure_reason_known'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='erasure',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='fe3ed810a6a86723947eae71b987fe72f1f84a06', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e0989', table='intake_erasure', when='BEFORE')),
        ),
        migrations.RunSQL(KEPT_UNTIL + ERASE, NO_ERASE),
    ]

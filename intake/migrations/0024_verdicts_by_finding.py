"""The last verdict of a finding by index, and a tally that a verdict moves by one column.

A verdict cannot make or end the row of a finding: only sending, changing and cancelling can. So it need not be worked
out again from half the tables of the river; what it says of the decision is the same in both functions. Ordered by the
finding too, the last verdict is read from its own index alone: read backwards by key, a finding without one would cost
the whole table.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

TALLY_DECISIONS = """
CREATE FUNCTION intake_tally_decisions(ids bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE finding bigint; standing varchar;
BEGIN
  FOR finding IN
    SELECT tally.finding_id FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) wanted
    CROSS JOIN LATERAL (
      SELECT t.finding_id FROM intake_findingtally t WHERE t.finding_id = wanted.id FOR UPDATE
    ) tally
  LOOP
    SELECT COALESCE(NULLIF(v.decision, 'unconfirmed'), '') INTO standing
    FROM intake_verdict v WHERE v.finding_id = finding ORDER BY v.finding_id, v.id DESC LIMIT 1;
    UPDATE intake_findingtally t SET decision = standing
    WHERE t.finding_id = finding AND t.decision IS DISTINCT FROM standing;
  END LOOP;
END $$
"""

# Both are planned once a connection (0023), perhaps while a table is empty: read in whatever order seemed cheap then,
# every call would later read all intakes. So the order is written: from the ids on, each step by its key. The fences
# (`OFFSET 0`, `LIMIT 1`) keep it; conditions that a partial index has stand outside of them, or it would be read whole.
# Without them a load of intakes grew with the square of their number.
PLACE = """
CREATE OR REPLACE FUNCTION intake_place_on_worklist(ids uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF cardinality(ids) = 0 THEN
    RETURN;
  END IF;
  PERFORM 1 FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) wanted
  CROSS JOIN LATERAL (SELECT FROM intake_queueentry q WHERE q.evaluation_id = wanted.id FOR UPDATE) locked;
  INSERT INTO intake_queueentry AS entry
    (evaluation_id, response_id, physio_id, at, status, needs_appointment, urgent, up, down)
  SELECT
    e.id,
    COALESCE(waiting.response_id, r.id),
    e.physio_id,
    COALESCE(e.starts_at, e.created_at),
    CASE
      WHEN e.status = 'cancelled' THEN 'cancelled'
      WHEN r.id IS NULL THEN 'not-started'
      WHEN r.status = 'in-progress' THEN 'in-progress'
      WHEN closing.act = 'closed' THEN 'closed'
      WHEN v.id IS NULL THEN 'to-review'
      WHEN v.finished_at IS NULL THEN 'in-review'
      ELSE 'reviewed'
    END,
    e.status = 'requested',
    waiting.response_id IS NOT NULL,
    chain.up,
    chain.down
  FROM (SELECT DISTINCT id FROM unnest(ids) AS id) wanted
  CROSS JOIN LATERAL (SELECT * FROM intake_evaluation e WHERE e.id = wanted.id OFFSET 0) e
  LEFT JOIN LATERAL (
    SELECT r.id, r.status FROM intake_questionnaireresponse r
    WHERE r.evaluation_id = e.id AND (
      r.status IN ('completed', 'amended') AND r.replaced_at IS NULL
      OR r.status = 'in-progress' AND r.replaces_id IS NULL
    )
    LIMIT 1
  ) r ON true
  LEFT JOIN LATERAL (
    SELECT v.id, v.finished_at FROM intake_review v WHERE v.response_id = r.id LIMIT 1
  ) v ON true
  LEFT JOIN LATERAL (
    SELECT c.act FROM intake_closing c WHERE c.response_id = r.id ORDER BY c.number DESC LIMIT 1
  ) closing ON true
  LEFT JOIN LATERAL (
    SELECT f.response_id
    FROM intake_questionnaireresponse x
    CROSS JOIN LATERAL (
      SELECT f.response_id, f.raised_at FROM intake_redflag f
      WHERE f.response_id = x.id AND f.tier IN ('emergency', 'same-day') AND f.state IN ('open', 'withdrawn')
      OFFSET 0
    ) f
    WHERE x.evaluation_id = e.id
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
  ON CONFLICT (evaluation_id) DO UPDATE SET
    response_id = EXCLUDED.response_id,
    physio_id = EXCLUDED.physio_id,
    at = EXCLUDED.at,
    status = EXCLUDED.status,
    needs_appointment = EXCLUDED.needs_appointment,
    urgent = EXCLUDED.urgent,
    up = EXCLUDED.up,
    down = EXCLUDED.down
  WHERE (entry.response_id, entry.physio_id, entry.at, entry.status, entry.needs_appointment,
         entry.urgent, entry.up, entry.down)
    IS DISTINCT FROM
        (EXCLUDED.response_id, EXCLUDED.physio_id, EXCLUDED.at, EXCLUDED.status, EXCLUDED.needs_appointment,
         EXCLUDED.urgent, EXCLUDED.up, EXCLUDED.down);
END $$
"""
TALLY = """
CREATE OR REPLACE FUNCTION intake_tally_findings(ids bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE gone bigint[];
BEGIN
  IF cardinality(ids) = 0 THEN
    RETURN;
  END IF;
  PERFORM 1 FROM (SELECT DISTINCT id FROM unnest(ids) AS id ORDER BY id) wanted
  CROSS JOIN LATERAL (SELECT FROM intake_findingtally t WHERE t.finding_id = wanted.id FOR UPDATE) locked;
  gone := ARRAY(
    SELECT wanted.id FROM (SELECT DISTINCT id FROM unnest(ids) AS id) wanted
    CROSS JOIN LATERAL (SELECT t.finding_id FROM intake_findingtally t WHERE t.finding_id = wanted.id OFFSET 0) t
    CROSS JOIN LATERAL (SELECT f.response_id FROM intake_finding f WHERE f.id = wanted.id OFFSET 0) f
    CROSS JOIN LATERAL (
      SELECT r.status, r.replaced_at, r.evaluation_id FROM intake_questionnaireresponse r
      WHERE r.id = f.response_id OFFSET 0
    ) r
    CROSS JOIN LATERAL (SELECT e.status FROM intake_evaluation e WHERE e.id = r.evaluation_id OFFSET 0) e
    WHERE e.status = 'cancelled' OR r.status NOT IN ('completed', 'amended') OR r.replaced_at IS NOT NULL
  );
  IF cardinality(gone) > 0 THEN
    DELETE FROM intake_findingtally t WHERE t.finding_id = ANY(gone);
  END IF;
  INSERT INTO intake_findingtally AS tally (finding_id, rule_id, decision, result)
  SELECT
    f.id,
    f.rule_id,
    COALESCE(NULLIF(verdict.decision, 'unconfirmed'), ''),
    CASE WHEN closing.act = 'closed' THEN COALESCE(outcome.result, '') ELSE '' END
  FROM (SELECT DISTINCT id FROM unnest(ids) AS id) wanted
  CROSS JOIN LATERAL (
    SELECT f.id, f.rule_id, f.response_id FROM intake_finding f WHERE f.id = wanted.id OFFSET 0
  ) f
  CROSS JOIN LATERAL (SELECT kind FROM intake_rule WHERE id = f.rule_id OFFSET 0) rule
  CROSS JOIN LATERAL (
    SELECT r.id, r.status, r.replaced_at, r.evaluation_id FROM intake_questionnaireresponse r
    WHERE r.id = f.response_id OFFSET 0
  ) r
  CROSS JOIN LATERAL (SELECT e.status FROM intake_evaluation e WHERE e.id = r.evaluation_id OFFSET 0) e
  LEFT JOIN LATERAL (
    SELECT v.decision FROM intake_verdict v WHERE v.finding_id = f.id
    ORDER BY v.finding_id, v.id DESC LIMIT 1
  ) verdict ON true
  LEFT JOIN LATERAL (
    SELECT c.act FROM intake_closing c WHERE c.response_id = r.id ORDER BY c.number DESC LIMIT 1
  ) closing ON true
  LEFT JOIN LATERAL (
    SELECT o.result FROM intake_outcome o WHERE o.finding_id = f.id
    ORDER BY o.finding_id, o.id DESC LIMIT 1
  ) outcome ON true
  WHERE rule.kind = 'chain' AND e.status <> 'cancelled'
    AND r.status IN ('completed', 'amended') AND r.replaced_at IS NULL
  ON CONFLICT (finding_id) DO UPDATE SET
    rule_id = EXCLUDED.rule_id, decision = EXCLUDED.decision, result = EXCLUDED.result
  WHERE (tally.rule_id, tally.decision, tally.result)
    IS DISTINCT FROM (EXCLUDED.rule_id, EXCLUDED.decision, EXCLUDED.result);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0023_plans_of_triggers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(TALLY_DECISIONS, "DROP FUNCTION intake_tally_decisions(bigint[])"),
        migrations.RunSQL(PLACE, migrations.RunSQL.noop),
        migrations.RunSQL(TALLY, migrations.RunSQL.noop),
        pgtrigger.migrations.RemoveTrigger(
            model_name='verdict',
            name='tally_after_insert',
        ),
        migrations.AlterField(
            model_name='verdict',
            name='finding',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='intake.finding'),
        ),
        migrations.AlterField(
            model_name='verdict',
            name='by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='verdict',
            name='carried_from',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.verdict', verbose_name='kept from'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(fields=['finding', '-id'], name='verdict_last'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(condition=models.Q(('carried_from__isnull', False)), fields=['carried_from'], name='verdict_carried'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='verdict',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_decisions(ARRAY(SELECT finding_id FROM new_rows)); RETURN NULL;', hash='6faddaec7d63add8dd22260f61e8db1cf8327798', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_a70c1', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_verdict', when='AFTER')),
        ),
    ]

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
BEGIN
  PERFORM 1 FROM intake_findingtally t WHERE t.finding_id = ANY(ids) ORDER BY t.finding_id FOR UPDATE;
  UPDATE intake_findingtally tally
  SET decision = standing.decision
  FROM (
    SELECT t.finding_id, COALESCE(NULLIF((
      SELECT v.decision FROM intake_verdict v
      WHERE v.finding_id = t.finding_id ORDER BY v.finding_id, v.id DESC LIMIT 1
    ), 'unconfirmed'), '') AS decision
    FROM intake_findingtally t
    WHERE t.finding_id = ANY(ids)
  ) standing
  WHERE tally.finding_id = standing.finding_id AND tally.decision IS DISTINCT FROM standing.decision;
END $$
"""

# The function that works out whole rows reads it the same way.
LAST_VERDICT = """
DO $$ BEGIN
  EXECUTE replace(
    pg_get_functiondef('intake_tally_findings(bigint[])'::regprocedure),
    'ORDER BY v.{}id DESC', 'ORDER BY v.{}id DESC'
  );
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0023_plans_of_triggers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(TALLY_DECISIONS, "DROP FUNCTION intake_tally_decisions(bigint[])"),
        migrations.RunSQL(
            LAST_VERDICT.format("", "finding_id, v."), LAST_VERDICT.format("finding_id, v.", "")
        ),
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

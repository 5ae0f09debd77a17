"""A response that moves is looked at by itself, and a form that is sent makes the rows of its tallies at once.

A statement's triggers with their tables of old and new rows ran at every page that was saved, to find that nothing
had moved; a row's condition says so before anything is called. Of a draft no finding has a row yet, nor an outcome or
a closing, which are of intakes that were sent; so nothing has to be locked, looked up in half the tables of the river
or deleted.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


TALLY_SENT = """
CREATE FUNCTION intake_tally_sent(sent uuid, visit uuid) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  INSERT INTO intake_findingtally AS tally (finding_id, rule_id, decision, result)
  SELECT
    f.id,
    f.rule_id,
    COALESCE((
      SELECT NULLIF(v.decision, 'unconfirmed') FROM intake_verdict v WHERE v.finding_id = f.id
      ORDER BY v.finding_id, v.id DESC LIMIT 1
    ), ''),
    ''
  FROM (SELECT f.id, f.rule_id FROM intake_finding f WHERE f.response_id = sent OFFSET 0) f
  CROSS JOIN LATERAL (SELECT FROM intake_rule k WHERE k.id = f.rule_id AND k.kind = 'chain' OFFSET 0) chain
  WHERE (SELECT e.status FROM intake_evaluation e WHERE e.id = visit) <> 'cancelled'
  ON CONFLICT (finding_id) DO UPDATE SET
    rule_id = EXCLUDED.rule_id, decision = EXCLUDED.decision, result = EXCLUDED.result;
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0027_placed_once'),
    ]

    operations = [
        migrations.RunSQL(TALLY_SENT, "DROP FUNCTION intake_tally_sent(uuid, uuid)"),
        pgtrigger.migrations.RemoveTrigger(
            model_name='questionnaireresponse',
            name='place_after_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='questionnaireresponse',
            name='tally_after_update',
        ),
        migrations.AlterField(
            model_name='findingtally',
            name='rule',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.rule'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN ((OLD.status, OLD.replaced_at) IS DISTINCT FROM (NEW.status, NEW.replaced_at))', func='PERFORM intake_place_on_worklist(ARRAY[NEW.evaluation_id]); RETURN NULL;', hash='a3e7dab76d94a035f0310b4d4fe711b44e70a7e0', operation='UPDATE', pgid='pgtrigger_place_after_update_e13a1', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='tally_when_sent', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (OLD.status = 'in-progress' AND NEW.status IN ('completed', 'amended') AND NEW.replaced_at IS NULL)", func='PERFORM intake_tally_sent(NEW.id, NEW.evaluation_id); RETURN NULL;', hash='3caaf886222a2f9fd70e385a8af2dfc5224026d6', operation='UPDATE', pgid='pgtrigger_tally_when_sent_2dc40', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.status, OLD.replaced_at) IS DISTINCT FROM (NEW.status, NEW.replaced_at) AND NOT (OLD.status = 'in-progress' AND NEW.status IN ('completed', 'amended') AND NEW.replaced_at IS NULL))", func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM intake_finding f WHERE f.response_id = NEW.id)); RETURN NULL;', hash='31ff98ef4a54f793b9b00eb4d674edf34c2adb45', operation='UPDATE', pgid='pgtrigger_tally_after_update_93024', table='intake_questionnaireresponse', when='AFTER')),
        ),
    ]

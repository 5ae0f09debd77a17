"""A finding counts for its rule only while its answers stand: changed ones have findings of their own."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


# As 0008 does it: changed in place, and refused where the text is not what it was.
CHANGED = """
DO $$
DECLARE
  before text := pg_get_functiondef('intake_tally_findings(bigint[])'::regprocedure);
  after text := replace(replace(before, $t${old_out}$t$, $t${new_out}$t$), $t${old_in}$t$, $t${new_in}$t$);
BEGIN
  IF position($t${new_out}$t$ in after) = 0 OR position($t${new_in}$t$ in after) = 0 THEN
    RAISE EXCEPTION 'intake_tally_findings does not say what counts as this migration expects';
  END IF;
  EXECUTE after;
END $$;
"""
OUT = "r.status NOT IN ('completed', 'amended'))"
OUT_NOW = "r.status NOT IN ('completed', 'amended') OR r.replaced_at IS NOT NULL)"
IN = "AND r.status IN ('completed', 'amended')\n  JOIN"
IN_NOW = "AND r.status IN ('completed', 'amended') AND r.replaced_at IS NULL\n  JOIN"


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0011_worklist_at_scale'),
    ]

    operations = [
        migrations.RunSQL(
            CHANGED.format(old_out=OUT, new_out=OUT_NOW, old_in=IN, new_in=IN_NOW),
            CHANGED.format(old_out=OUT_NOW, new_out=OUT, old_in=IN_NOW, new_in=IN),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='questionnaireresponse',
            name='tally_after_update',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN intake_finding f ON f.response_id = n.id WHERE (n.status, n.replaced_at) IS DISTINCT FROM (o.status, o.replaced_at))); RETURN NULL;', hash='3c2eced1e695fc54047c1e1446cde3d285e0a44a', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tally_after_update_93024', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        migrations.RunSQL(
            "SELECT intake_tally_findings(ARRAY(SELECT f.id FROM intake_finding f "
            "JOIN intake_questionnaireresponse r ON r.id = f.response_id WHERE r.replaced_at IS NOT NULL))",
            migrations.RunSQL.noop,
        ),
    ]

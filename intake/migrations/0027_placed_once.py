"""What a form raised is placed on the worklist, and counts for its rule, once: when the form counts as sent."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0026_trail_by_ids'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='finding',
            name='place_after_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='finding',
            name='tally_after_insert',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c CROSS JOIN LATERAL (SELECT x.evaluation_id, x.status FROM intake_questionnaireresponse x WHERE x.id = c.response_id OFFSET 0) r WHERE r.status <> 'in-progress') changed)); RETURN NULL;", hash='a0061aa26b1a2adc8fb751a42f43d0eae1a3bac6', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_7f799', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM intake_tally_findings(ARRAY(SELECT c.id FROM new_rows c CROSS JOIN LATERAL (SELECT x.evaluation_id, x.status FROM intake_questionnaireresponse x WHERE x.id = c.response_id OFFSET 0) r WHERE r.status <> 'in-progress')); RETURN NULL;", hash='5d8be4afc6ad7b223af75321144f4f2b0130958f', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_1aded', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
    ]

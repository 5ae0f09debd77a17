"""After the evaluation: outcomes, measurements, missed links, closings, and the tally of each rule (ADR 0020)."""

import importlib

import django.db.models.deletion
import django.db.models.functions.math
import django.db.models.lookups
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


BEFORE = importlib.import_module("intake.migrations.0006_intake_before_booking").PLACE
# As in 0006, with an evaluation that was closed.
PLACE = BEFORE.replace(
    "      WHEN v.id IS NULL THEN 'to-review'",
    "      WHEN closing.act = 'closed' THEN 'closed'\n      WHEN v.id IS NULL THEN 'to-review'",
).replace(
    "  LEFT JOIN intake_review v ON v.response_id = r.id\n",
    """  LEFT JOIN intake_review v ON v.response_id = r.id
  LEFT JOIN LATERAL (
    SELECT c.act FROM intake_closing c WHERE c.response_id = r.id ORDER BY c.number DESC LIMIT 1
  ) closing ON true
""",
)

# The rows are locked before their sources are read, as in 0003.
TALLY = """
CREATE FUNCTION intake_tally_findings(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(ids) = 0 THEN
    RETURN;
  END IF;
  PERFORM 1 FROM intake_findingtally t WHERE t.finding_id = ANY(ids) ORDER BY t.finding_id FOR UPDATE;
  DELETE FROM intake_findingtally t
  USING intake_finding f, intake_questionnaireresponse r, intake_evaluation e
  WHERE t.finding_id = ANY(ids)
    AND f.id = t.finding_id AND r.id = f.response_id AND e.id = r.evaluation_id
    AND (e.status = 'cancelled' OR r.status NOT IN ('completed', 'amended'));
  INSERT INTO intake_findingtally AS tally (finding_id, rule_id, decision, result)
  SELECT
    f.id,
    f.rule_id,
    COALESCE(NULLIF(verdict.decision, 'unconfirmed'), ''),
    CASE WHEN closing.act = 'closed' THEN COALESCE(outcome.result, '') ELSE '' END
  FROM intake_finding f
  JOIN intake_rule ON intake_rule.id = f.rule_id AND intake_rule.kind = 'chain'
  JOIN intake_questionnaireresponse r ON r.id = f.response_id AND r.status IN ('completed', 'amended')
  JOIN intake_evaluation e ON e.id = r.evaluation_id AND e.status <> 'cancelled'
  LEFT JOIN LATERAL (
    SELECT v.decision FROM intake_verdict v WHERE v.finding_id = f.id ORDER BY v.id DESC LIMIT 1
  ) verdict ON true
  LEFT JOIN LATERAL (
    SELECT c.act FROM intake_closing c WHERE c.response_id = r.id ORDER BY c.number DESC LIMIT 1
  ) closing ON true
  LEFT JOIN LATERAL (
    SELECT o.result FROM intake_outcome o WHERE o.finding_id = f.id ORDER BY o.id DESC LIMIT 1
  ) outcome ON true
  WHERE f.id = ANY(ids)
  ON CONFLICT (finding_id) DO UPDATE SET
    rule_id = EXCLUDED.rule_id, decision = EXCLUDED.decision, result = EXCLUDED.result
  WHERE (tally.rule_id, tally.decision, tally.result)
    IS DISTINCT FROM (EXCLUDED.rule_id, EXCLUDED.decision, EXCLUDED.result);
END $$;
"""

# As in 0002: what is only added to cannot be changed by the role that runs the product.
REVOKE = """
DO $$
DECLARE target record;
BEGIN
  FOR target IN
    SELECT DISTINCT table_name, grantee
    FROM information_schema.role_table_grants
    WHERE table_schema = current_schema()
      AND table_name IN ('intake_outcome', 'intake_measurement', 'intake_missedlink', 'intake_closing')
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', target.table_name, target.grantee);
  END LOOP;
END $$;
"""

# Findings that are already there.
COUNT_WHAT_IS_THERE = "SELECT intake_tally_findings(ARRAY(SELECT id FROM intake_finding))"


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0006_intake_before_booking'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Closing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('act', models.CharField(choices=[('closed', 'Closed'), ('reopened', 'Opened again')], max_length=8, verbose_name='what')),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
            ],
            options={
                'verbose_name': 'closing',
                'verbose_name_plural': 'closings',
                'ordering': ['response', 'number'],
                'permissions': [('reopen_evaluation', 'Can open a closed evaluation again')],
            },
        ),
        migrations.CreateModel(
            name='FindingTally',
            fields=[
                ('finding', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='tally', serialize=False, to='intake.finding')),
                ('decision', models.CharField(blank=True, max_length=12, verbose_name='decision')),
                ('result', models.CharField(blank=True, max_length=10, verbose_name='result')),
            ],
            options={
                'verbose_name': 'tally of a finding',
                'verbose_name_plural': 'tallies of findings',
            },
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('navicular-drop', 'Navicular drop'), ('fpi6', 'Foot Posture Index, total'), ('lunge-angle', 'Knee-to-wall lunge, angle'), ('lunge-distance', 'Knee-to-wall lunge, toe to wall'), ('heel-raises', 'Single-leg heel raises'), ('step-down', 'Lateral step-down'), ('balance', 'One-leg balance'), ('quad-strength', 'Quadriceps, weaker by'), ('hip-strength', 'Hip, weaker by')], max_length=16, verbose_name='what')),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, verbose_name='side')),
                ('value', models.DecimalField(decimal_places=1, max_digits=4, null=True, verbose_name='value')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
            ],
            options={
                'verbose_name': 'measurement',
                'verbose_name_plural': 'measurements',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='MissedLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.SlugField(db_index=False, max_length=40, verbose_name='starts at')),
                ('starts_side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, verbose_name='side it starts on')),
                ('shows_at', models.SlugField(db_index=False, max_length=40, verbose_name='shows at')),
                ('shows_side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, verbose_name='side it shows on')),
                ('words', models.CharField(max_length=200, verbose_name='in a few words')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
            ],
            options={
                'verbose_name': 'link the rules missed',
                'verbose_name_plural': 'links the rules missed',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Outcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('result', models.CharField(choices=[('found', 'Found'), ('not-found', 'Not found'), ('not-tested', 'Not tested')], max_length=10, verbose_name='result')),
                ('reason', models.CharField(blank=True, choices=[('time', 'No time at this visit'), ('pain', 'Too painful to test'), ('unsafe', 'Not safe to test'), ('missing', 'Something needed was not there'), ('declined', 'The patient did not want it'), ('dismissed', 'Dismissed before the visit'), ('other', 'Another reason')], max_length=10, verbose_name='reason')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
            ],
            options={
                'verbose_name': 'outcome',
                'verbose_name_plural': 'outcomes',
                'ordering': ['id'],
            },
        ),
        migrations.AlterField(
            model_name='queueentry',
            name='status',
            field=models.CharField(choices=[('not-started', 'Not started'), ('in-progress', 'In progress'), ('to-review', 'To review'), ('in-review', 'In review'), ('reviewed', 'Reviewed'), ('closed', 'Closed'), ('cancelled', 'Cancelled')], max_length=12, verbose_name='status'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(condition=models.Q(('needs_appointment', False), ('status__in', ['to-review', 'in-review', 'reviewed'])), fields=['at', 'evaluation'], name='queue_to_close'),
        ),
        migrations.RunSQL(TALLY, "DROP FUNCTION intake_tally_findings(bigint[])"),
        migrations.RunSQL(PLACE, BEFORE),
        pgtrigger.migrations.AddTrigger(
            model_name='evaluation',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN intake_questionnaireresponse r ON r.evaluation_id = n.id JOIN intake_finding f ON f.response_id = r.id WHERE n.status IS DISTINCT FROM o.status)); RETURN NULL;', hash='07190ba2c438c94589bffe055ac164a48921a669', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tally_after_update_4f1b6', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_evaluation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT id FROM new_rows)); RETURN NULL;', hash='5d9d47ae576f3bddad580c54a14ad3bba5158608', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_1aded', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN intake_finding f ON f.response_id = n.id WHERE n.status IS DISTINCT FROM o.status)); RETURN NULL;', hash='09105d9947fecec27783f3cbce316d2b62e3af3b', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tally_after_update_93024', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='verdict',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT finding_id FROM new_rows)); RETURN NULL;', hash='a2bc766ed91f23452ddc5b76dc53ef1e3ab894a9', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_a70c1', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_verdict', when='AFTER')),
        ),
        migrations.AddField(
            model_name='closing',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='closing',
            name='response',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='closings', to='intake.questionnaireresponse'),
        ),
        migrations.AddField(
            model_name='findingtally',
            name='rule',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.rule'),
        ),
        migrations.AddField(
            model_name='measurement',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='measurement',
            name='response',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='measurements', to='intake.questionnaireresponse'),
        ),
        migrations.AddField(
            model_name='missedlink',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='missedlink',
            name='response',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='missed_links', to='intake.questionnaireresponse'),
        ),
        migrations.AddField(
            model_name='missedlink',
            name='takes_back',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='taken_back_by', to='intake.missedlink', verbose_name='takes back'),
        ),
        migrations.AddField(
            model_name='outcome',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='outcome',
            name='finding',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outcomes', to='intake.finding'),
        ),
        migrations.AddConstraint(
            model_name='closing',
            constraint=models.UniqueConstraint(fields=('response', 'number'), name='closing_once'),
        ),
        migrations.AddConstraint(
            model_name='closing',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(django.db.models.lookups.Exact(django.db.models.functions.math.Mod(models.F('number'), 2), 1), ('act', 'closed'), ('reason', '')), models.Q(django.db.models.lookups.Exact(django.db.models.functions.math.Mod(models.F('number'), 2), 0), ('act', 'reopened'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='closing_and_reopening_in_turn'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closing',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='66f695afcb9c468410c6c8c968bcb55ca184f971', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_2691e', table='intake_closing', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closing',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='45d98eba6b89b1cadf27f6d3272380a8a16c2244', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_d13a0', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_closing', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closing',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM new_rows c JOIN intake_finding f ON f.response_id = c.response_id)); RETURN NULL;', hash='b1a3c2eeedf62b3619c6b736c2636344daf3c748', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_66554', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_closing', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='findingtally',
            index=models.Index(fields=['rule', 'decision', 'result'], name='tally_of_rule'),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.CheckConstraint(condition=models.Q(('side__in', ['left', 'right'])), name='measurement_side_known'),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['navicular-drop', 'fpi6', 'lunge-angle', 'lunge-distance', 'heel-raises', 'step-down', 'balance', 'quad-strength', 'hip-strength']), ('value', None)), models.Q(('kind', 'navicular-drop'), ('value__gte', 0), ('value__lte', 30)), models.Q(('kind', 'fpi6'), ('value__gte', -12), ('value__lte', 12), ('value', django.db.models.functions.math.Floor(models.F('value')))), models.Q(('kind', 'lunge-angle'), ('value__gte', 0), ('value__lte', 60)), models.Q(('kind', 'lunge-distance'), ('value__gte', 0), ('value__lte', 25)), models.Q(('kind', 'heel-raises'), ('value__gte', 0), ('value__lte', 100), ('value', django.db.models.functions.math.Floor(models.F('value')))), models.Q(('kind', 'step-down'), ('value__gte', 0), ('value__lte', 6), ('value', django.db.models.functions.math.Floor(models.F('value')))), models.Q(('kind', 'balance'), ('value__gte', 0), ('value__lte', 60)), models.Q(('kind', 'quad-strength'), ('value__gte', 0), ('value__lte', 100)), models.Q(('kind', 'hip-strength'), ('value__gte', 0), ('value__lte', 100)), _connector='OR'), name='measurement_possible'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='measurement',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c652cae0d43384fcab12427a75d3053626817521', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5b63f', table='intake_measurement', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='missedlink',
            constraint=models.CheckConstraint(condition=models.Q(('shows_side__in', ['left', 'right']), ('starts_side__in', ['left', 'right']), models.Q(('starts_at', ''), _negated=True), models.Q(('shows_at', ''), _negated=True), models.Q(('words', ''), _negated=True)), name='missed_link_whole'),
        ),
        migrations.AddConstraint(
            model_name='missedlink',
            constraint=models.CheckConstraint(condition=models.Q(('starts_at', models.F('shows_at')), ('starts_side', models.F('shows_side')), _negated=True), name='missed_link_leads_elsewhere'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='missedlink',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e790e46c5ed80995ba7eeffa0d6a4b9de8703df2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_dbbe5', table='intake_missedlink', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='outcome',
            constraint=models.CheckConstraint(condition=models.Q(('result__in', ['found', 'not-found', 'not-tested'])), name='outcome_result_known'),
        ),
        migrations.AddConstraint(
            model_name='outcome',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('result', 'not-tested'), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('result', 'not-tested'), _negated=True), ('reason', '')), _connector='OR'), name='not_tested_has_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='outcome',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8cf4ad87df61f949f2cca69570ad60bbe2e1a319', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a09d7', table='intake_outcome', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='outcome',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT finding_id FROM new_rows)); RETURN NULL;', hash='f1d325bada7542fbcebec6f35f7d91c6fa273998', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_6128a', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_outcome', when='AFTER')),
        ),
        migrations.RunSQL(REVOKE, migrations.RunSQL.noop),
        migrations.RunSQL(COUNT_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]

"""A change of what was sent is a row beside it, which stays what staff look at until the change is sent."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


# Changed in place, whatever later migrations made of the function, and refused if they changed this very part.
STANDING = """
DO $$
DECLARE
  before text := pg_get_functiondef('intake_place_on_worklist(uuid[])'::regprocedure);
  after text := replace(before, $old${old}$old$, $new${new}$new$);
BEGIN
  IF after = before THEN
    RAISE EXCEPTION 'intake_place_on_worklist does not say which response stands as this migration expects';
  END IF;
  EXECUTE after;
END $$;
"""
ANY_LIVE = "r.status IN ('in-progress', 'completed', 'amended')"
STANDS = (
    "(r.status IN ('completed', 'amended') AND r.replaced_at IS NULL"
    " OR r.status = 'in-progress' AND r.replaces_id IS NULL)"
)


class Migration(migrations.Migration):
    dependencies = [
        ("intake", "0007_outcome"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="questionnaireresponse",
            name="place_after_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="questionnaireresponse",
            name="sent_is_final",
        ),
        migrations.RemoveConstraint(
            model_name="questionnaireresponse",
            name="one_standing_response_per_evaluation",
        ),
        migrations.AddField(
            model_name="questionnaireresponse",
            name="replaced_at",
            field=models.DateTimeField(null=True, verbose_name="replaced"),
        ),
        migrations.AddField(
            model_name="questionnaireresponse",
            name="replaces",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacements",
                to="intake.questionnaireresponse",
                verbose_name="stands in for",
            ),
        ),
        migrations.AddField(
            model_name="verdict",
            name="carried_from",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="intake.verdict",
                verbose_name="kept from",
            ),
        ),
        migrations.RunSQL(
            STANDING.format(old=ANY_LIVE, new=STANDS), STANDING.format(old=STANDS, new=ANY_LIVE)
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="questionnaireresponse",
            trigger=pgtrigger.compiler.Trigger(
                name="sent_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."status" IN (\'completed\', \'amended\') AND (OLD."answers" IS DISTINCT FROM (NEW."answers") OR OLD."document" IS DISTINCT FROM (NEW."document") OR OLD."authored" IS DISTINCT FROM (NEW."authored") OR OLD."submit_key" IS DISTINCT FROM (NEW."submit_key") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR (OLD."replaced_at" IS NOT NULL AND OLD."replaced_at" IS DISTINCT FROM (NEW."replaced_at"))))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="46c2a3a6540675eeb045aaa22ef082cabfd017bc",
                    operation="UPDATE",
                    pgid="pgtrigger_sent_is_final_b04e0",
                    table="intake_questionnaireresponse",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="questionnaireresponse",
            trigger=pgtrigger.compiler.Trigger(
                name="place_after_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT n.evaluation_id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE (n.status, n.replaced_at) IS DISTINCT FROM (o.status, o.replaced_at)) changed)); RETURN NULL;",
                    hash="d2b5f53a29fed2b61b889fea4c548ca9f998f71a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_place_after_update_e13a1",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="intake_questionnaireresponse",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="questionnaireresponse",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("replaced_at", None), ("status__in", ["completed", "amended"])),
                    models.Q(("replaces", None), ("status", "in-progress")),
                    _connector="OR",
                ),
                fields=("evaluation",),
                name="one_standing_response_per_evaluation",
            ),
        ),
        migrations.AddConstraint(
            model_name="questionnaireresponse",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["in-progress", "amended"])),
                fields=("replaces",),
                name="one_change_of_a_response",
            ),
        ),
        migrations.AddConstraint(
            model_name="questionnaireresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("replaces", None), ("status__in", ["in-progress", "completed", "stopped"])),
                    models.Q(
                        ("replaces__isnull", False), ("status__in", ["in-progress", "amended", "stopped"])
                    ),
                    ("status", "entered-in-error"),
                    _connector="OR",
                ),
                name="amended_response_replaces_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="questionnaireresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(("replaced_at", None), ("authored__isnull", False), _connector="OR"),
                name="only_sent_response_is_replaced",
            ),
        ),
    ]

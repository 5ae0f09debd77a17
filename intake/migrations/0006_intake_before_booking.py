"""An evaluation may be asked for before it is booked (ADR 0015).

The worklist's rows then stand at the time they were asked for, and say that they need an appointment.
"""

import importlib

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

BEFORE = importlib.import_module("intake.migrations.0003_worklist").PLACE.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
# As in 0003, with `at` in the place of `starts_at`, and `needs_appointment`.
PLACE = """
CREATE OR REPLACE FUNCTION intake_place_on_worklist(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(ids) = 0 THEN
    RETURN;
  END IF;
  PERFORM 1 FROM intake_queueentry q WHERE q.evaluation_id = ANY(ids) ORDER BY q.evaluation_id FOR UPDATE;
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
      WHEN v.id IS NULL THEN 'to-review'
      WHEN v.finished_at IS NULL THEN 'in-review'
      ELSE 'reviewed'
    END,
    e.status = 'requested',
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
END $$;
"""

# Whoever asked before this migration gets an evaluation like those who ask after it.
EVALUATIONS_FOR_REQUESTS = """
DO $$
DECLARE asked record; person uuid; evaluation uuid;
BEGIN
  FOR asked IN SELECT * FROM intake_evaluationrequest WHERE evaluation_id IS NULL LOOP
    person := gen_random_uuid();
    evaluation := gen_random_uuid();
    INSERT INTO intake_patient (id, given_name, family_name, birth_date, email, phone, created_at)
      VALUES (person, asked.given_name, asked.family_name, asked.birth_date, asked.email, asked.phone,
              asked.asked_at);
    INSERT INTO intake_evaluation (id, patient_id, minutes, status, created_at)
      VALUES (evaluation, person, 60,
              CASE WHEN asked.closed_at IS NULL THEN 'requested' ELSE 'cancelled' END, asked.asked_at);
    UPDATE intake_evaluationrequest SET evaluation_id = evaluation WHERE id = asked.id;
  END LOOP;
END $$;
-- Foreign keys are checked at the end of the transaction; the column cannot be altered before.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

INDEXES = (
    ("queue_time", ["starts_at", "evaluation"], None),
    ("queue_status", ["status", "starts_at", "evaluation"], None),
    ("queue_physio", ["physio", "starts_at", "evaluation"], None),
    ("queue_urgent", ["starts_at", "evaluation"], models.Q(urgent=True)),
    ("queue_up", ["starts_at", "evaluation"], models.Q(up__gt=0)),
    ("queue_down", ["starts_at", "evaluation"], models.Q(down__gt=0)),
)


def index(name, fields, condition):
    fields = ["at" if field == "starts_at" else field for field in fields]
    return migrations.AddIndex("queueentry", models.Index(fields=fields, condition=condition, name=name))


class Migration(migrations.Migration):
    dependencies = [
        ("intake", "0005_sent_is_final"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "patient",
            "replaced_by",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="intake.patient",
                verbose_name="is really",
            ),
        ),
        migrations.AddConstraint(
            "patient",
            models.CheckConstraint(
                condition=models.Q(("replaced_by", None))
                | models.Q(("replaced_by", models.F("pk")), _negated=True),
                name="patient_replaced_by_another",
            ),
        ),
        migrations.AlterField(
            "evaluation",
            "physio",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="evaluations",
                to=settings.AUTH_USER_MODEL,
                verbose_name="physio",
            ),
        ),
        migrations.AlterField(
            "evaluation", "starts_at", models.DateTimeField(null=True, verbose_name="starts at")
        ),
        migrations.AlterField(
            "evaluation",
            "status",
            models.CharField(
                choices=[
                    ("requested", "Needs appointment"),
                    ("booked", "Booked"),
                    ("cancelled", "Cancelled"),
                ],
                default="booked",
                max_length=12,
                verbose_name="status",
            ),
        ),
        migrations.RemoveConstraint("evaluation", "evaluation_status_known"),
        migrations.AddConstraint(
            "evaluation",
            models.CheckConstraint(
                condition=models.Q(("status__in", ["requested", "booked", "cancelled"])),
                name="evaluation_status_known",
            ),
        ),
        migrations.AddConstraint(
            "evaluation",
            models.CheckConstraint(
                condition=models.Q(
                    ("physio", None), ("starts_at", None), ("status__in", ["requested", "cancelled"])
                )
                | models.Q(
                    ("physio__isnull", False),
                    ("starts_at__isnull", False),
                    ("status__in", ["booked", "cancelled"]),
                ),
                name="evaluation_booked_has_time_and_physio",
            ),
        ),
        *(migrations.RemoveIndex("queueentry", name) for name, _fields, _condition in INDEXES),
        migrations.RenameField("queueentry", "starts_at", "at"),
        migrations.AlterField("queueentry", "at", models.DateTimeField(verbose_name="at")),
        migrations.AlterField(
            "queueentry",
            "physio",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="physio",
            ),
        ),
        migrations.AddField(
            "queueentry",
            "needs_appointment",
            models.BooleanField(default=False, verbose_name="needs appointment"),
            preserve_default=False,
        ),
        *(index(*one) for one in INDEXES),
        migrations.AddIndex(
            "queueentry",
            models.Index(
                condition=models.Q(("needs_appointment", True)),
                fields=["at", "evaluation"],
                name="queue_asked",
            ),
        ),
        migrations.RunSQL(PLACE, BEFORE),
        migrations.RemoveConstraint("evaluationrequest", "evaluation_request_booked_is_closed"),
        migrations.RunSQL(EVALUATIONS_FOR_REQUESTS, migrations.RunSQL.noop),
        migrations.AlterField(
            "evaluationrequest",
            "evaluation",
            models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="request",
                to="intake.evaluation",
                verbose_name="evaluation",
            ),
        ),
    ]

"""No physio is booked twice at one time; what happened to a booking is kept; reminders are claimed once.

Visits that overlap already cannot be sorted out by a migration: they are marked, and the rule leaves them be
until somebody changes their time.
"""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

# An index needs functions whose answer never depends on the session: adding minutes to a timestamp without a
# zone does not, so the time is read in UTC first.
VISIT = """tsrange(
  timezone('UTC', starts_at), timezone('UTC', starts_at) + make_interval(mins => minutes)
)"""

MARK = """
UPDATE intake_evaluation SET booked_at = created_at;
UPDATE intake_evaluation later SET double_booked = true
WHERE later.status = 'booked' AND EXISTS (
  SELECT FROM intake_evaluation earlier
  WHERE earlier.status = 'booked' AND earlier.physio_id = later.physio_id
    AND (earlier.starts_at, earlier.id) < (later.starts_at, later.id)
    AND earlier.starts_at + make_interval(mins => earlier.minutes) > later.starts_at
);
-- The worklist's triggers wrote rows whose keys are checked at the end; the table cannot be altered before.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

ONCE = f"""
ALTER TABLE intake_evaluation ADD CONSTRAINT evaluation_physio_once
EXCLUDE USING gist (physio_id WITH =, {VISIT} WITH &&)
WHERE (status = 'booked' AND NOT double_booked)
"""

# As in 0002: a right that is not there cannot be used at all.
APPEND_ONLY = """
DO $$
DECLARE target record;
BEGIN
  FOR target IN
    SELECT DISTINCT grantee FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'intake_bookingevent'
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON intake_bookingevent FROM %I', target.grantee);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("intake", "0008_amended"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # For a key beside a range. The role that owns the tables may: it is a trusted extension.
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS btree_gist", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="evaluation",
            name="booked_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now, editable=False, verbose_name="booked"
            ),
        ),
        migrations.AddField(
            model_name="evaluation",
            name="double_booked",
            field=models.BooleanField(default=False, editable=False, verbose_name="overlaps with another"),
        ),
        migrations.AddField(
            model_name="evaluation",
            name="reminders_off",
            field=models.BooleanField(default=False, editable=False, verbose_name="no reminders"),
        ),
        migrations.AddField(
            model_name="patient",
            name="reminders_off",
            field=models.BooleanField(
                default=False,
                help_text="No mail before a visit while the form is open.",
                verbose_name="no reminders",
            ),
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("week", "7 days before"), ("day", "1 day before")],
                        max_length=4,
                        verbose_name="when",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="for a visit that starts at")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting to be sent"),
                            ("sent", "Sent"),
                            ("failed", "Could not be sent"),
                            ("not-needed", "Not needed any more"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="queued")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="sent, failed or not needed")),
                (
                    "token_hash",
                    models.BinaryField(max_length=32, null=True, verbose_name="hash of the token"),
                ),
                (
                    "stop_hash",
                    models.BinaryField(
                        max_length=32, null=True, verbose_name="hash of the token that stops them"
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="intake.evaluation",
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="intake.invitation",
                    ),
                ),
            ],
            options={
                "verbose_name": "reminder",
                "verbose_name_plural": "reminders",
                "ordering": ["queued_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="BookingEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("booked", "Booked"),
                            ("moved", "Changed"),
                            ("cancelled", "Cancelled"),
                            ("rebooked", "Booked again"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("starts_at", models.DateTimeField(null=True, verbose_name="starts at")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="booking_events",
                        to="intake.evaluation",
                    ),
                ),
                (
                    "physio",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "booking event",
                "verbose_name_plural": "booking events",
                "ordering": ["at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["booked", "moved", "cancelled", "rebooked"])),
                        name="booking_event_known",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bookingevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="c088c06b6679f103c5f04c05bc0b355eddf4dddb",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_aceae",
                    table="intake_bookingevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                fields=("evaluation", "kind", "starts_at"), name="reminder_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(fields=("token_hash",), name="reminder_token_unique"),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(fields=("stop_hash",), name="reminder_stop_unique"),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["week", "day"])), name="reminder_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at", None), ("state", "queued")),
                    models.Q(("settled_at__isnull", False), ("state__in", ["sent", "failed", "not-needed"])),
                    _connector="OR",
                ),
                name="reminder_state_whole",
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
        migrations.RunSQL(ONCE, "ALTER TABLE intake_evaluation DROP CONSTRAINT evaluation_physio_once"),
    ]

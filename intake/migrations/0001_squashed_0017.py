"""Every table of the intake, and what the database itself keeps true: the worklist, the tally, what is only added to.

Stands for the first seventeen migrations. A database that has only some of them must first take the rest, with the
commit that still had them (CHANGELOG).
"""

import datetime
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.math
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
import intake.patients.models
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

# The worklist: one row for each evaluation, kept by the triggers below (`intake/review/placing.py`, ADR 0011).
# The entries are locked before the sources are read: of two writers at once the second waits and then sees what
# the first wrote. Reading first could put an old "not urgent" over a new "urgent".
PLACE = """
CREATE FUNCTION intake_place_on_worklist(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
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
      WHEN closing.act = 'closed' THEN 'closed'
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
    ON r.evaluation_id = e.id AND (r.status IN ('completed', 'amended') AND r.replaced_at IS NULL OR r.status = 'in-progress' AND r.replaces_id IS NULL)
  LEFT JOIN intake_review v ON v.response_id = r.id
  LEFT JOIN LATERAL (
    SELECT c.act FROM intake_closing c WHERE c.response_id = r.id ORDER BY c.number DESC LIMIT 1
  ) closing ON true
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
END $$
"""

# The tally of each rule (ADR 0020), locked the same way. A finding counts only while its answers stand: changed ones
# have findings of their own.
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
    AND (e.status = 'cancelled' OR r.status NOT IN ('completed', 'amended') OR r.replaced_at IS NOT NULL);
  INSERT INTO intake_findingtally AS tally (finding_id, rule_id, decision, result)
  SELECT
    f.id,
    f.rule_id,
    COALESCE(NULLIF(verdict.decision, 'unconfirmed'), ''),
    CASE WHEN closing.act = 'closed' THEN COALESCE(outcome.result, '') ELSE '' END
  FROM intake_finding f
  JOIN intake_rule ON intake_rule.id = f.rule_id AND intake_rule.kind = 'chain'
  JOIN intake_questionnaireresponse r ON r.id = f.response_id AND r.status IN ('completed', 'amended') AND r.replaced_at IS NULL
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
END $$
"""

# What is only added to. Triggers refuse updates and deletes too; a right that is not there cannot be used at all, not
# even with triggers switched off.
APPEND_ONLY = """
DO $$
DECLARE target record;
BEGIN
  FOR target IN
    SELECT DISTINCT table_name, grantee
    FROM information_schema.role_table_grants
    WHERE table_schema = current_schema()
      AND table_name IN (
        'intake_auditevent', 'intake_bookingevent', 'intake_closing', 'intake_measurement', 'intake_missedlink',
        'intake_outcome', 'intake_redflagcontact', 'intake_redflagevent', 'intake_verdict'
      )
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', target.table_name, target.grantee);
  END LOOP;
END $$
"""

# No physio is booked twice at one time. An index needs functions whose answer never depends on the session: adding
# minutes to a timestamp without a zone does not, so the time is read in UTC first.
ONCE = """
ALTER TABLE intake_evaluation ADD CONSTRAINT evaluation_physio_once
EXCLUDE USING gist (
  physio_id WITH =,
  tsrange(timezone('UTC', starts_at), timezone('UTC', starts_at) + make_interval(mins => minutes)) WITH &&
)
WHERE (status = 'booked' AND NOT double_booked)
"""


class Migration(migrations.Migration):

    replaces = [('intake', '0001_initial'), ('intake', '0002_append_only_grants'), ('intake', '0003_worklist'), ('intake', '0004_evaluation_request'), ('intake', '0005_sent_is_final'), ('intake', '0006_intake_before_booking'), ('intake', '0007_outcome'), ('intake', '0008_amended'), ('intake', '0009_booking_and_reminders'), ('intake', '0010_figures'), ('intake', '0011_worklist_at_scale'), ('intake', '0012_tally_of_what_stands'), ('intake', '0013_lesson_share'), ('intake', '0014_ticked_by_mistake'), ('intake', '0015_access_code'), ('intake', '0016_tablet'), ('intake', '0017_said_by_open_pages')]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # For a key beside a range. The role that owns the tables may: it is a trusted extension.
        BtreeGistExtension(),
        migrations.CreateModel(
            name='LessonOpening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(verbose_name='week')),
                ('lesson', models.SlugField(db_index=False, max_length=80, verbose_name='lesson')),
                ('number', models.PositiveIntegerField(default=0, verbose_name='opened')),
            ],
            options={
                'verbose_name': 'lesson opened',
                'verbose_name_plural': 'lessons opened',
                'permissions': [('see_figures', "Can see the clinic's figures: counts, never a patient")],
                'constraints': [models.UniqueConstraint(fields=('week', 'lesson'), name='lesson_opening_once_a_week')],
            },
        ),
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('given_name', models.CharField(max_length=80, verbose_name='given name')),
                ('family_name', models.CharField(max_length=80, verbose_name='family name')),
                ('birth_date', models.DateField(validators=[intake.patients.models._born_in_the_past], verbose_name='date of birth')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, max_length=30, verbose_name='phone')),
                ('reminders_off', models.BooleanField(default=False, help_text='No mail before a visit while the form is open.', verbose_name='no reminders')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='added')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replaced_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.patient', verbose_name='is really')),
            ],
            options={
                'verbose_name': 'patient',
                'verbose_name_plural': 'patients',
                'ordering': ['family_name', 'given_name', 'id'],
                'indexes': [models.Index(django.db.models.functions.comparison.Collate(django.db.models.functions.text.Upper('family_name'), 'C'), name='patient_family_begins'), models.Index(django.db.models.functions.comparison.Collate(django.db.models.functions.text.Upper('given_name'), 'C'), name='patient_given_begins'), models.Index(fields=['family_name', 'given_name', 'id'], name='patient_name')],
                'constraints': [models.CheckConstraint(condition=models.Q(('birth_date__gte', '1900-01-01')), name='patient_born_after_1900', violation_error_message='Enter a year after 1900.'), models.CheckConstraint(condition=models.Q(('replaced_by', None), models.Q(('replaced_by', models.F('pk')), _negated=True), _connector='OR'), name='patient_replaced_by_another')],
            },
        ),
        migrations.CreateModel(
            name='Evaluation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='intake.patient', verbose_name='patient')),
                ('physio', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to=settings.AUTH_USER_MODEL, verbose_name='physio')),
                ('starts_at', models.DateTimeField(null=True, verbose_name='starts at')),
                ('minutes', models.PositiveSmallIntegerField(default=60, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(480)], verbose_name='minutes')),
                ('status', models.CharField(choices=[('requested', 'Needs appointment'), ('booked', 'Booked'), ('cancelled', 'Cancelled')], default='booked', max_length=12, verbose_name='status')),
                ('double_booked', models.BooleanField(default=False, editable=False, verbose_name='overlaps with another')),
                ('booked_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='booked')),
                ('reminders_off', models.BooleanField(default=False, editable=False, verbose_name='no reminders')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='added')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'evaluation',
                'verbose_name_plural': 'evaluations',
                'ordering': ['starts_at', 'id'],
                'indexes': [models.Index(fields=['starts_at', 'id'], name='evaluation_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('minutes__gte', 5), ('minutes__lte', 480)), name='evaluation_minutes'), models.CheckConstraint(condition=models.Q(('status__in', ['requested', 'booked', 'cancelled'])), name='evaluation_status_known'), models.CheckConstraint(condition=models.Q(models.Q(('physio', None), ('starts_at', None), ('status__in', ['requested', 'cancelled'])), models.Q(('physio__isnull', False), ('starts_at__isnull', False), ('status__in', ['booked', 'cancelled'])), _connector='OR'), name='evaluation_booked_has_time_and_physio')],
            },
        ),
        migrations.CreateModel(
            name='BookingEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='booking_events', to='intake.evaluation')),
                ('kind', models.CharField(choices=[('booked', 'Booked'), ('moved', 'Changed'), ('cancelled', 'Cancelled'), ('rebooked', 'Booked again')], max_length=10, verbose_name='what')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('starts_at', models.DateTimeField(null=True, verbose_name='starts at')),
                ('physio', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
            ],
            options={
                'verbose_name': 'booking event',
                'verbose_name_plural': 'booking events',
                'ordering': ['at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['booked', 'moved', 'cancelled', 'rebooked'])), name='booking_event_known')],
            },
        ),
        migrations.CreateModel(
            name='EvaluationRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('given_name', models.CharField(max_length=80, verbose_name='given name')),
                ('family_name', models.CharField(max_length=80, verbose_name='family name')),
                ('birth_date', models.DateField(validators=[intake.patients.models._born_in_the_past], verbose_name='date of birth')),
                ('guardian_name', models.CharField(blank=True, max_length=120, verbose_name='parent or guardian')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, max_length=30, verbose_name='phone')),
                ('preferred_times', models.CharField(blank=True, max_length=300, verbose_name='preferred times')),
                ('source', models.CharField(blank=True, max_length=80, verbose_name='lesson she came from')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='asked')),
                ('evaluation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='request', to='intake.evaluation', verbose_name='evaluation')),
                ('closed_at', models.DateTimeField(editable=False, null=True, verbose_name='closed')),
                ('closed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'evaluation request',
                'verbose_name_plural': 'evaluation requests',
                'ordering': ['asked_at', 'id'],
                'indexes': [models.Index(condition=models.Q(('closed_at', None)), fields=['asked_at', 'id'], name='evaluation_request_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('email', ''), _negated=True), models.Q(('phone', ''), _negated=True), _connector='OR'), name='evaluation_request_can_be_answered'), models.CheckConstraint(condition=models.Q(('birth_date__gte', '1900-01-01')), name='evaluation_request_born_after_1900')],
            },
        ),
        migrations.CreateModel(
            name='LessonShare',
            fields=[
                ('token_hash', models.BinaryField(max_length=32, null=True, verbose_name='hash of the token')),
                ('expires_at', models.DateTimeField(verbose_name='lives until')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('opened_at', models.DateTimeField(blank=True, null=True, verbose_name='first opened')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='replaced or withdrawn')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended after wrong dates')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lesson_shares', to='intake.evaluation')),
                ('lessons', models.JSONField(verbose_name='lessons')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='shared')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'shared lessons',
                'verbose_name_plural': 'shared lessons',
                'ordering': ['at', 'id'],
                'constraints': [models.UniqueConstraint(fields=('token_hash',), name='lesson_share_token_unique'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('at'))), name='lesson_share_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('lessons', []), _negated=True), name='lesson_share_has_lessons')],
            },
        ),
        migrations.CreateModel(
            name='Questionnaire',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=200, verbose_name='canonical address')),
                ('version', models.CharField(max_length=40, verbose_name='version')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('retired', 'Retired')], default='draft', max_length=8, verbose_name='status')),
                ('definition', models.JSONField(verbose_name='definition')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('approved_at', models.DateTimeField(null=True, verbose_name='approved')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='made')),
            ],
            options={
                'verbose_name': 'questionnaire',
                'verbose_name_plural': 'questionnaires',
                'ordering': ['url', '-created_at'],
                'permissions': [('approve_clinical_content', 'Can approve questionnaires, rules and lessons')],
                'constraints': [models.UniqueConstraint(fields=('url', 'version'), name='questionnaire_version_unique'), models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('url',), name='one_active_questionnaire_per_url'), models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'active', 'retired'])), name='questionnaire_status_known'), models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='questionnaire_approval_whole')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('token_hash', models.BinaryField(max_length=32, null=True, verbose_name='hash of the token')),
                ('expires_at', models.DateTimeField(verbose_name='lives until')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('opened_at', models.DateTimeField(blank=True, null=True, verbose_name='first opened')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='replaced or withdrawn')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended after wrong dates')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='intake.evaluation')),
                ('questionnaire', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.questionnaire')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='made')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'invitation',
                'verbose_name_plural': 'invitations',
                'ordering': ['-created_at', 'id'],
                'permissions': [('send_invitation', 'Can send a patient the link to the form')],
                'indexes': [models.Index(fields=['created_at'], name='invitation_made')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None), ('revoked_at', None)), fields=('evaluation',), name='one_live_invitation_per_evaluation'), models.UniqueConstraint(fields=('token_hash',), name='invitation_token_unique'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='invitation_ends_after_it_starts')],
            },
        ),
        migrations.CreateModel(
            name='AccessCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='intake.invitation')),
                ('device_hash', models.BinaryField(max_length=32, verbose_name='hash of the device')),
                ('code_hash', models.BinaryField(max_length=32, null=True, verbose_name='hash of the code')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='asked')),
                ('expires_at', models.DateTimeField(verbose_name='lives until')),
                ('sent_at', models.DateTimeField(null=True, verbose_name='sent')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='wrong tries')),
                ('used_at', models.DateTimeField(null=True, verbose_name='used')),
            ],
            options={
                'verbose_name': 'access code',
                'verbose_name_plural': 'access codes',
                'indexes': [models.Index(fields=['device_hash', 'asked_at'], name='access_code_device'), models.Index(fields=['invitation', 'asked_at'], name='access_code_link')],
                'constraints': [models.CheckConstraint(condition=models.Q(('tries__lte', 5)), name='access_code_five_tries'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('asked_at')), ('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('asked_at'), '+', models.Value(datetime.timedelta(seconds=600))))), name='access_code_ten_minutes'), models.CheckConstraint(condition=models.Q(('used_at', None), ('code_hash__isnull', False), _connector='OR'), name='access_code_used_was_made')],
            },
        ),
        migrations.CreateModel(
            name='AccessEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invitation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='intake.invitation')),
                ('share', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='intake.lessonshare')),
                ('kind', models.CharField(choices=[('wrong-date', 'Wrong date of birth'), ('resting', 'Tried while resting'), ('opened', 'Opened'), ('other-device', 'Opened on another device'), ('wrong-code', 'Wrong code'), ('ended', 'Ended after too many wrong dates')], max_length=16, verbose_name='what')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='from address')),
            ],
            options={
                'verbose_name': 'link event',
                'verbose_name_plural': 'link events',
                'indexes': [models.Index(fields=['invitation', 'kind', 'at'], name='access_event_link'), models.Index(fields=['address', 'kind', 'at'], name='access_event_address')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('invitation__isnull', False), ('share', None)), models.Q(('invitation', None), ('share__isnull', False)), _connector='OR'), name='access_event_of_one_link')],
            },
        ),
        migrations.CreateModel(
            name='PatientSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invitation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to='intake.invitation')),
                ('share', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to='intake.lessonshare')),
                ('token_hash', models.BinaryField(max_length=32, verbose_name='hash of the token')),
                ('device_hash', models.BinaryField(max_length=32, verbose_name='hash of the device')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('last_seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last seen')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('on_tablet', models.BooleanField(db_default=False, default=False, verbose_name='on the clinic’s tablet')),
            ],
            options={
                'verbose_name': 'patient session',
                'verbose_name_plural': 'patient sessions',
                'indexes': [models.Index(fields=['invitation', 'device_hash'], name='patient_session_device')],
                'constraints': [models.UniqueConstraint(fields=('token_hash',), name='patient_session_token_unique'), models.CheckConstraint(condition=models.Q(models.Q(('invitation__isnull', False), ('share', None)), models.Q(('invitation', None), ('share__isnull', False)), _connector='OR'), name='patient_session_of_one_link')],
            },
        ),
        migrations.CreateModel(
            name='QuestionnaireResponse',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='intake.evaluation')),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='intake.invitation')),
                ('questionnaire', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='intake.questionnaire')),
                ('status', models.CharField(choices=[('in-progress', 'In progress'), ('completed', 'Completed'), ('amended', 'Amended'), ('entered-in-error', 'Entered in error'), ('stopped', 'Stopped')], default='in-progress', max_length=16, verbose_name='status')),
                ('answers', models.JSONField(default=dict, verbose_name='answers')),
                ('written', models.JSONField(db_default={}, default=dict, verbose_name='said by open pages')),
                ('document', models.JSONField(null=True, verbose_name='record')),
                ('saved_pages', models.JSONField(default=list, verbose_name='saved pages')),
                ('revision', models.PositiveIntegerField(default=0, verbose_name='revision')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last saved')),
                ('authored', models.DateTimeField(null=True, verbose_name='sent')),
                ('submit_key', models.UUIDField(null=True, verbose_name='key of the submission')),
                ('replaces', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replacements', to='intake.questionnaireresponse', verbose_name='stands in for')),
                ('replaced_at', models.DateTimeField(null=True, verbose_name='replaced')),
            ],
            options={
                'verbose_name': 'intake',
                'verbose_name_plural': 'intakes',
                'permissions': [('see_worklist', 'Can see the worklist'), ('review_intake', 'Can read answers and findings, decide, and finish a review')],
                'indexes': [models.Index(condition=models.Q(('authored__isnull', False)), fields=['authored'], name='response_sent')],
                'constraints': [models.UniqueConstraint(condition=models.Q(models.Q(('replaced_at', None), ('status__in', ['completed', 'amended'])), models.Q(('replaces', None), ('status', 'in-progress')), _connector='OR'), fields=('evaluation',), name='one_standing_response_per_evaluation'), models.UniqueConstraint(condition=models.Q(('status__in', ['in-progress', 'amended'])), fields=('replaces',), name='one_change_of_a_response'), models.CheckConstraint(condition=models.Q(models.Q(('replaces', None), ('status__in', ['in-progress', 'completed', 'stopped'])), models.Q(('replaces__isnull', False), ('status__in', ['in-progress', 'amended', 'stopped'])), ('status', 'entered-in-error'), _connector='OR'), name='amended_response_replaces_one'), models.CheckConstraint(condition=models.Q(('replaced_at', None), ('authored__isnull', False), _connector='OR'), name='only_sent_response_is_replaced'), models.UniqueConstraint(fields=('submit_key',), name='submit_key_unique'), models.CheckConstraint(condition=models.Q(('status__in', ['in-progress', 'stopped', 'entered-in-error']), models.Q(('authored__isnull', False), ('document__isnull', False), ('status__in', ['completed', 'amended']), ('submit_key__isnull', False)), _connector='OR'), name='completed_response_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='Closing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='closings', to='intake.questionnaireresponse')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('act', models.CharField(choices=[('closed', 'Closed'), ('reopened', 'Opened again')], max_length=8, verbose_name='what')),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'closing',
                'verbose_name_plural': 'closings',
                'ordering': ['response', 'number'],
                'permissions': [('reopen_evaluation', 'Can open a closed evaluation again')],
                'constraints': [models.UniqueConstraint(fields=('response', 'number'), name='closing_once'), models.CheckConstraint(condition=models.Q(models.Q(django.db.models.lookups.Exact(django.db.models.functions.math.Mod(models.F('number'), 2), 1), ('act', 'closed'), ('reason', '')), models.Q(django.db.models.lookups.Exact(django.db.models.functions.math.Mod(models.F('number'), 2), 0), ('act', 'reopened'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='closing_and_reopening_in_turn')],
            },
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='measurements', to='intake.questionnaireresponse')),
                ('kind', models.CharField(choices=[('navicular-drop', 'Navicular drop'), ('fpi6', 'Foot Posture Index, total'), ('lunge-angle', 'Knee-to-wall lunge, angle'), ('lunge-distance', 'Knee-to-wall lunge, toe to wall'), ('heel-raises', 'Single-leg heel raises'), ('step-down', 'Lateral step-down'), ('balance', 'One-leg balance'), ('quad-strength', 'Quadriceps, weaker by'), ('hip-strength', 'Hip, weaker by')], max_length=16, verbose_name='what')),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, verbose_name='side')),
                ('value', models.DecimalField(decimal_places=1, max_digits=4, null=True, verbose_name='value')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'measurement',
                'verbose_name_plural': 'measurements',
                'ordering': ['id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('side__in', ['left', 'right'])), name='measurement_side_known'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['navicular-drop', 'fpi6', 'lunge-angle', 'lunge-distance', 'heel-raises', 'step-down', 'balance', 'quad-strength', 'hip-strength']), ('value', None)), models.Q(('kind', 'navicular-drop'), ('value__gte', 0), ('value__lte', 30)), models.Q(('kind', 'fpi6'), ('value__gte', -12), ('value__lte', 12), ('value', django.db.models.functions.math.Floor(models.F('value')))), models.Q(('kind', 'lunge-angle'), ('value__gte', 0), ('value__lte', 60)), models.Q(('kind', 'lunge-distance'), ('value__gte', 0), ('value__lte', 25)), models.Q(('kind', 'heel-raises'), ('value__gte', 0), ('value__lte', 100), ('value', django.db.models.functions.math.Floor(models.F('value')))), models.Q(('kind', 'step-down'), ('value__gte', 0), ('value__lte', 6), ('value', django.db.models.functions.math.Floor(models.F('value')))), models.Q(('kind', 'balance'), ('value__gte', 0), ('value__lte', 60)), models.Q(('kind', 'quad-strength'), ('value__gte', 0), ('value__lte', 100)), models.Q(('kind', 'hip-strength'), ('value__gte', 0), ('value__lte', 100)), _connector='OR'), name='measurement_possible')],
            },
        ),
        migrations.CreateModel(
            name='MissedLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='missed_links', to='intake.questionnaireresponse')),
                ('starts_at', models.SlugField(db_index=False, max_length=40, verbose_name='starts at')),
                ('starts_side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, verbose_name='side it starts on')),
                ('shows_at', models.SlugField(db_index=False, max_length=40, verbose_name='shows at')),
                ('shows_side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, verbose_name='side it shows on')),
                ('words', models.CharField(max_length=200, verbose_name='in a few words')),
                ('takes_back', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='taken_back_by', to='intake.missedlink', verbose_name='takes back')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'link the rules missed',
                'verbose_name_plural': 'links the rules missed',
                'ordering': ['id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('shows_side__in', ['left', 'right']), ('starts_side__in', ['left', 'right']), models.Q(('starts_at', ''), _negated=True), models.Q(('shows_at', ''), _negated=True), models.Q(('words', ''), _negated=True)), name='missed_link_whole'), models.CheckConstraint(condition=models.Q(('starts_at', models.F('shows_at')), ('starts_side', models.F('shows_side')), _negated=True), name='missed_link_leads_elsewhere')],
            },
        ),
        migrations.CreateModel(
            name='RedFlagContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contacts', to='intake.questionnaireresponse')),
                ('flags', models.JSONField(help_text='primary keys of the flags this contact was about', verbose_name='red flags')),
                ('called', models.CharField(max_length=120, verbose_name='called whom')),
                ('called_at', models.DateTimeField(verbose_name='when')),
                ('outcome', models.CharField(choices=[('reached', 'Spoke to the patient'), ('reached-other', 'Spoke to someone else'), ('message', 'Left a message'), ('no-answer', 'No answer'), ('no-call-needed', 'No call needed, ticked by mistake')], max_length=16, verbose_name='outcome')),
                ('next_step', models.CharField(blank=True, max_length=500, verbose_name='agreed next step')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='recorded')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'red flag contact',
                'verbose_name_plural': 'red flag contacts',
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='intake.evaluation')),
                ('kind', models.CharField(choices=[('week', '7 days before'), ('day', '1 day before')], max_length=4, verbose_name='when')),
                ('starts_at', models.DateTimeField(verbose_name='for a visit that starts at')),
                ('state', models.CharField(choices=[('queued', 'Waiting to be sent'), ('sent', 'Sent'), ('failed', 'Could not be sent'), ('not-needed', 'Not needed any more')], default='queued', max_length=10, verbose_name='state')),
                ('queued_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='queued')),
                ('settled_at', models.DateTimeField(null=True, verbose_name='sent, failed or not needed')),
                ('invitation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='intake.invitation')),
                ('token_hash', models.BinaryField(max_length=32, null=True, verbose_name='hash of the token')),
                ('stop_hash', models.BinaryField(max_length=32, null=True, verbose_name='hash of the token that stops them')),
            ],
            options={
                'verbose_name': 'reminder',
                'verbose_name_plural': 'reminders',
                'ordering': ['queued_at', 'id'],
                'constraints': [models.UniqueConstraint(fields=('evaluation', 'kind', 'starts_at'), name='reminder_once'), models.UniqueConstraint(fields=('token_hash',), name='reminder_token_unique'), models.UniqueConstraint(fields=('stop_hash',), name='reminder_stop_unique'), models.CheckConstraint(condition=models.Q(('kind__in', ['week', 'day'])), name='reminder_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('state', 'queued')), models.Q(('settled_at__isnull', False), ('state__in', ['sent', 'failed', 'not-needed'])), _connector='OR'), name='reminder_state_whole')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='intake.questionnaireresponse')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('finished_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'review',
                'verbose_name_plural': 'reviews',
                'constraints': [models.UniqueConstraint(fields=('response',), name='one_review_per_response'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('finished_by', None)), models.Q(('finished_at__isnull', False), ('finished_by__isnull', False)), _connector='OR'), name='review_finish_whole')],
            },
        ),
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule_id', models.SlugField(max_length=80, verbose_name='id')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('kind', models.CharField(choices=[('chain', 'Chain'), ('note', 'Note on the answers'), ('red-flag', 'Red flag'), ('precaution', 'Precaution')], max_length=12, verbose_name='kind')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('retired', 'Retired')], default='draft', max_length=8, verbose_name='status')),
                ('definition', models.JSONField(verbose_name='definition')),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('approved_at', models.DateTimeField(null=True, verbose_name='approved')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='made')),
            ],
            options={
                'verbose_name': 'rule',
                'verbose_name_plural': 'rules',
                'ordering': ['kind', 'rule_id', '-version'],
                'constraints': [models.UniqueConstraint(fields=('rule_id', 'version'), name='rule_version_unique'), models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('rule_id',), name='one_active_version_per_rule'), models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'active', 'retired'])), name='rule_status_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['chain', 'note', 'red-flag', 'precaution'])), name='rule_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='rule_approval_whole')],
            },
        ),
        migrations.CreateModel(
            name='RedFlag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='red_flags', to='intake.questionnaireresponse')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='red_flags', to='intake.rule')),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, null=True, verbose_name='side')),
                ('tier', models.CharField(choices=[('emergency', 'Emergency'), ('same-day', 'Same day'), ('tell-physio', 'Tell the physio')], max_length=12, verbose_name='tier')),
                ('state', models.CharField(choices=[('open', 'Open'), ('withdrawn', 'Withdrawn by patient'), ('acknowledged', 'Acknowledged')], default='open', max_length=12, verbose_name='state')),
                ('evidence', models.JSONField(verbose_name='evidence')),
                ('raised_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='raised')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn by patient')),
                ('patient_saw_at', models.DateTimeField(null=True, verbose_name='patient saw the advice')),
                ('mail_sent_at', models.DateTimeField(null=True, verbose_name='on-call notice sent')),
            ],
            options={
                'verbose_name': 'red flag',
                'verbose_name_plural': 'red flags',
                'indexes': [models.Index(fields=['raised_at'], name='red_flag_raised'), models.Index(condition=models.Q(('state__in', ['open', 'withdrawn']), ('tier__in', ['emergency', 'same-day'])), fields=['raised_at'], name='red_flag_waiting')],
                'constraints': [models.UniqueConstraint(fields=('response', 'rule', 'side'), name='red_flag_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'withdrawn', 'acknowledged'])), name='red_flag_state_known'), models.CheckConstraint(condition=models.Q(('tier__in', ['emergency', 'same-day', 'tell-physio'])), name='red_flag_tier_known')],
            },
        ),
        migrations.CreateModel(
            name='RedFlagEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('flag', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='intake.redflag')),
                ('kind', models.CharField(choices=[('raised', 'Raised'), ('withdrawn', 'Withdrawn by patient'), ('raised-again', 'Raised again'), ('seen', 'Patient saw the advice'), ('mistake', 'Patient said it was ticked by mistake'), ('acknowledged', 'Acknowledged')], max_length=14, verbose_name='what')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
            ],
            options={
                'verbose_name': 'red flag event',
                'verbose_name_plural': 'red flag events',
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ScreeningRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='intake.questionnaireresponse')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('rule_versions', models.JSONField(verbose_name='rule versions')),
                ('precautions', models.JSONField(default=list, verbose_name='precautions')),
            ],
            options={
                'verbose_name': 'screening run',
                'verbose_name_plural': 'screening runs',
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='intake.questionnaireresponse')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='intake.screeningrun')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='intake.rule')),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, null=True, verbose_name='side')),
                ('source_side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, null=True, verbose_name='source side')),
                ('target_side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5, null=True, verbose_name='target side')),
                ('direction', models.CharField(blank=True, max_length=8, verbose_name='direction')),
                ('score', models.IntegerField(verbose_name='sort key')),
                ('evidence', models.JSONField(verbose_name='evidence')),
            ],
            options={
                'verbose_name': 'finding',
                'verbose_name_plural': 'findings',
                'constraints': [models.UniqueConstraint(fields=('response', 'rule', 'side'), name='finding_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Outcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('finding', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outcomes', to='intake.finding')),
                ('result', models.CharField(choices=[('found', 'Found'), ('not-found', 'Not found'), ('not-tested', 'Not tested')], max_length=10, verbose_name='result')),
                ('reason', models.CharField(blank=True, choices=[('time', 'No time at this visit'), ('pain', 'Too painful to test'), ('unsafe', 'Not safe to test'), ('missing', 'Something needed was not there'), ('declined', 'The patient did not want it'), ('dismissed', 'Dismissed before the visit'), ('other', 'Another reason')], max_length=10, verbose_name='reason')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'outcome',
                'verbose_name_plural': 'outcomes',
                'ordering': ['id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('result__in', ['found', 'not-found', 'not-tested'])), name='outcome_result_known'), models.CheckConstraint(condition=models.Q(models.Q(('result', 'not-tested'), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('result', 'not-tested'), _negated=True), ('reason', '')), _connector='OR'), name='not_tested_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='TabletCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tablet_codes', to='intake.invitation')),
                ('code_hash', models.BinaryField(max_length=32, verbose_name='hash of the code')),
                ('token_hash', models.BinaryField(max_length=32, verbose_name='hash of the QR code')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='started')),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('expires_at', models.DateTimeField(verbose_name='lives until')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='wrong tries')),
                ('replaced_at', models.DateTimeField(null=True, verbose_name='replaced')),
                ('used_at', models.DateTimeField(null=True, verbose_name='used')),
            ],
            options={
                'verbose_name': 'tablet code',
                'verbose_name_plural': 'tablet codes',
                'indexes': [models.Index(fields=['expires_at'], name='tablet_code_ends')],
                'constraints': [models.UniqueConstraint(fields=('token_hash',), name='tablet_code_token_unique'), models.CheckConstraint(condition=models.Q(('tries__lte', 30)), name='tablet_code_thirty_tries'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('started_at')), ('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('started_at'), '+', models.Value(datetime.timedelta(seconds=300))))), name='tablet_code_five_minutes')],
            },
        ),
        migrations.CreateModel(
            name='TabletTry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('address', models.GenericIPAddressField(null=True, verbose_name='from address')),
            ],
            options={
                'verbose_name': 'wrong tablet code',
                'verbose_name_plural': 'wrong tablet codes',
                'indexes': [models.Index(fields=['address', 'at'], name='tablet_try_address')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('finding', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='intake.finding')),
                ('decision', models.CharField(choices=[('confirmed', 'Confirmed'), ('refuted', 'Dismissed'), ('provisional', 'To assess'), ('unconfirmed', 'Undone')], max_length=12, verbose_name='decision')),
                ('reason', models.CharField(blank=True, choices=[('explained', 'Something else explains it better'), ('old-injury', 'An old injury explains it'), ('misread', 'The patient misread the question'), ('known', 'Already known and treated'), ('not-relevant', 'Not relevant to this visit'), ('other', 'Another reason')], max_length=12, verbose_name='reason')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='at')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('carried_from', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.verdict', verbose_name='kept from')),
            ],
            options={
                'verbose_name': 'verdict',
                'verbose_name_plural': 'verdicts',
                'ordering': ['at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('decision', 'refuted'), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('decision', 'refuted'), _negated=True), ('reason', '')), _connector='OR'), name='dismissal_has_a_reason'), models.CheckConstraint(condition=models.Q(('decision__in', ['confirmed', 'refuted', 'provisional', 'unconfirmed'])), name='verdict_decision_known')],
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='at')),
                ('actor_kind', models.CharField(max_length=12, verbose_name='who')),
                ('actor_id', models.CharField(blank=True, max_length=64, verbose_name='id of who')),
                ('action', models.CharField(max_length=60, verbose_name='action')),
                ('objects_seen', models.JSONField(default=dict, verbose_name='records')),
                ('detail', models.JSONField(default=dict, verbose_name='detail')),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit events',
                'indexes': [models.Index(fields=['at'], name='audit_at')],
            },
        ),
        migrations.CreateModel(
            name='QueueEntry',
            fields=[
                ('evaluation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='queue_entry', serialize=False, to='intake.evaluation', verbose_name='evaluation')),
                ('response', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='intake.questionnaireresponse', verbose_name='intake')),
                ('physio', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='physio')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('status', models.CharField(choices=[('not-started', 'Not started'), ('in-progress', 'In progress'), ('to-review', 'To review'), ('in-review', 'In review'), ('reviewed', 'Reviewed'), ('closed', 'Closed'), ('cancelled', 'Cancelled')], max_length=12, verbose_name='status')),
                ('needs_appointment', models.BooleanField(verbose_name='needs appointment')),
                ('urgent', models.BooleanField(verbose_name='urgent')),
                ('up', models.PositiveSmallIntegerField(verbose_name='foot to knee findings')),
                ('down', models.PositiveSmallIntegerField(verbose_name='knee to foot findings')),
            ],
            options={
                'verbose_name': 'place on the worklist',
                'verbose_name_plural': 'worklist',
                'indexes': [models.Index(fields=['at', 'evaluation'], name='queue_time'), models.Index(fields=['status', 'at', 'evaluation'], name='queue_status'), models.Index(fields=['physio', 'at', 'evaluation'], name='queue_physio'), models.Index(condition=models.Q(('status__in', ['to-review', 'in-review'])), fields=['at', 'evaluation'], name='queue_to_do'), models.Index(condition=models.Q(('urgent', True)), fields=['at', 'evaluation'], name='queue_urgent'), models.Index(condition=models.Q(('needs_appointment', True)), fields=['at', 'evaluation'], name='queue_asked'), models.Index(condition=models.Q(('up__gt', 0)), fields=['at', 'evaluation'], name='queue_up'), models.Index(condition=models.Q(('down__gt', 0)), fields=['at', 'evaluation'], name='queue_down'), models.Index(condition=models.Q(('needs_appointment', False), ('status__in', ['to-review', 'in-review', 'reviewed'])), fields=['at', 'evaluation'], name='queue_to_close')],
            },
        ),
        migrations.CreateModel(
            name='FindingTally',
            fields=[
                ('finding', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='tally', serialize=False, to='intake.finding')),
                ('rule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='intake.rule')),
                ('decision', models.CharField(blank=True, max_length=12, verbose_name='decision')),
                ('result', models.CharField(blank=True, max_length=10, verbose_name='result')),
            ],
            options={
                'verbose_name': 'tally of a finding',
                'verbose_name_plural': 'tallies of findings',
                'indexes': [models.Index(fields=['rule', 'decision', 'result'], name='tally_of_rule')],
            },
        ),
        migrations.RunSQL(APPEND_ONLY),
        migrations.RunSQL(ONCE),
        migrations.RunSQL(PLACE),
        migrations.RunSQL(TALLY),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1afe9113c389d9e8f8b20c5b3660d15734fb5d14', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_39d29', table='intake_auditevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bookingevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c088c06b6679f103c5f04c05bc0b355eddf4dddb', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_aceae', table='intake_bookingevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesscode',
            trigger=pgtrigger.compiler.Trigger(name='asked_for_good', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."invitation_id" IS DISTINCT FROM (NEW."invitation_id") OR OLD."device_hash" IS DISTINCT FROM (NEW."device_hash") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='159b229e1728a0d2288afd5f22cedd5896e27850', operation='UPDATE', pgid='pgtrigger_asked_for_good_d7d44', table='intake_accesscode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesscode',
            trigger=pgtrigger.compiler.Trigger(name='used_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."used_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='57169c6c14447a75cab5618930f80dec43b91c95', operation='UPDATE', pgid='pgtrigger_used_once_dc927', table='intake_accesscode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lessonshare',
            trigger=pgtrigger.compiler.Trigger(name='shared_for_good', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."evaluation_id" IS DISTINCT FROM (NEW."evaluation_id") OR OLD."lessons" IS DISTINCT FROM (NEW."lessons") OR OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='12be3266a8bf6ecf12539653257f8f41abb6a227', operation='UPDATE', pgid='pgtrigger_shared_for_good_73f7d', table='intake_lessonshare', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lessonshare',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='2bae178ed7494844a71d8c3a081a7576f8edb52b', operation='DELETE', pgid='pgtrigger_never_deleted_72d4d', table='intake_lessonshare', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='outcome',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8cf4ad87df61f949f2cca69570ad60bbe2e1a319', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a09d7', table='intake_outcome', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='outcome',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT finding_id FROM new_rows)); RETURN NULL;', hash='f1d325bada7542fbcebec6f35f7d91c6fa273998', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_6128a', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_outcome', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evaluation',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT id AS evaluation_id FROM new_rows) changed)); RETURN NULL;', hash='39f86c0806c81448ca591af199635b96369280c2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_0f3d4', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_evaluation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evaluation',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT id AS evaluation_id FROM new_rows) changed)); RETURN NULL;', hash='0dbcef0b658b80dd775891d13528627996683116', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_fecda', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_evaluation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evaluation',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN intake_questionnaireresponse r ON r.evaluation_id = n.id JOIN intake_finding f ON f.response_id = r.id WHERE n.status IS DISTINCT FROM o.status)); RETURN NULL;', hash='07190ba2c438c94589bffe055ac164a48921a669', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tally_after_update_4f1b6', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_evaluation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaire',
            trigger=pgtrigger.compiler.Trigger(name='immutable_once_used', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'active\', \'retired\') AND (OLD."definition" IS DISTINCT FROM (NEW."definition") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."url" IS DISTINCT FROM (NEW."url")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f66887cd7c6df3d84098744946155f72b4efbfe0', operation='UPDATE', pgid='pgtrigger_immutable_once_used_f29aa', table='intake_questionnaire', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='sent_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'completed\', \'amended\') AND (OLD."answers" IS DISTINCT FROM (NEW."answers") OR OLD."document" IS DISTINCT FROM (NEW."document") OR OLD."authored" IS DISTINCT FROM (NEW."authored") OR OLD."submit_key" IS DISTINCT FROM (NEW."submit_key") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR (OLD."replaced_at" IS NOT NULL AND OLD."replaced_at" IS DISTINCT FROM (NEW."replaced_at"))))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='46c2a3a6540675eeb045aaa22ef082cabfd017bc', operation='UPDATE', pgid='pgtrigger_sent_is_final_b04e0', table='intake_questionnaireresponse', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT evaluation_id FROM new_rows) changed)); RETURN NULL;', hash='846b02e9ac85d169e474ae8163a162c40b32e5c4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_923f7', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT n.evaluation_id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE (n.status, n.replaced_at) IS DISTINCT FROM (o.status, o.replaced_at)) changed)); RETURN NULL;', hash='d2b5f53a29fed2b61b889fea4c548ca9f998f71a', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_e13a1', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT evaluation_id FROM old_rows) changed)); RETURN NULL;', hash='89ecd4eec93b287400bb60b7f5b3cba6711d1bd0', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_8d29a', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='questionnaireresponse',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT f.id FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN intake_finding f ON f.response_id = n.id WHERE (n.status, n.replaced_at) IS DISTINCT FROM (o.status, o.replaced_at))); RETURN NULL;', hash='3c2eced1e695fc54047c1e1446cde3d285e0a44a', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_tally_after_update_93024', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_questionnaireresponse', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='missedlink',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e790e46c5ed80995ba7eeffa0d6a4b9de8703df2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_dbbe5', table='intake_missedlink', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='measurement',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c652cae0d43384fcab12427a75d3053626817521', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5b63f', table='intake_measurement', when='BEFORE')),
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
        pgtrigger.migrations.AddTrigger(
            model_name='redflagcontact',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7b66be91156344c64827389b6018a053a7923966', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e3058', table='intake_redflagcontact', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflagevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2f442eee0ca9f40605669eaff95e0f4d3a545837', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9edea', table='intake_redflagevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='f7008cb1a1fdd156d71563a3df92f70eb6b15e1c', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_ba345', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='c2906bd7ce2b86e474bd24f2fca2be33dd94532f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_3dd76', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM old_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='5f26fd48ef528dccf722bfe725ad53144a7e536d', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_ea03d', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rule',
            trigger=pgtrigger.compiler.Trigger(name='immutable_once_used', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'active\', \'retired\') AND (OLD."definition" IS DISTINCT FROM (NEW."definition") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."rule_id" IS DISTINCT FROM (NEW."rule_id")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d05ad1c5a9fd6e9c02662fa91fc42b16618eccd3', operation='UPDATE', pgid='pgtrigger_immutable_once_used_fec15', table='intake_rule', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflag',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='1da650d26e50903424c027c61ad340c35629a136', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_c1ac7', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_redflag', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflag',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='55a1d2e934e16a2b982df8c01a7cfa84b487a568', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_d8e0a', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_redflag', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redflag',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM old_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='02adcbf954e59f52e15d7f69a1bdbdd86edb65e2', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_72017', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_redflag', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='7647827b6370c3b096e0647901bfd6257a5a7943', level='STATEMENT', operation='INSERT', pgid='pgtrigger_place_after_insert_7f799', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM new_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='4fe10d2569993b56dfcc2b45c4b50d681fd53cea', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_place_after_update_204a6', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='place_after_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_place_on_worklist(ARRAY(SELECT DISTINCT evaluation_id FROM (SELECT r.evaluation_id FROM old_rows c JOIN intake_questionnaireresponse r ON r.id = c.response_id) changed)); RETURN NULL;', hash='f5b5770a873668ce00d2e0a2084aaf41fe4f8363', level='STATEMENT', operation='DELETE', pgid='pgtrigger_place_after_delete_850b2', referencing='REFERENCING OLD TABLE AS old_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT id FROM new_rows)); RETURN NULL;', hash='5d9d47ae576f3bddad580c54a14ad3bba5158608', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_1aded', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_finding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tabletcode',
            trigger=pgtrigger.compiler.Trigger(name='started_for_good', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."invitation_id" IS DISTINCT FROM (NEW."invitation_id") OR OLD."code_hash" IS DISTINCT FROM (NEW."code_hash") OR OLD."token_hash" IS DISTINCT FROM (NEW."token_hash") OR OLD."started_at" IS DISTINCT FROM (NEW."started_at") OR OLD."started_by_id" IS DISTINCT FROM (NEW."started_by_id") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b257189dff88f8ca271e47bbe8519ec139e205f8', operation='UPDATE', pgid='pgtrigger_started_for_good_4b2af', table='intake_tabletcode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tabletcode',
            trigger=pgtrigger.compiler.Trigger(name='used_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."used_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='be81cb5e8de00292e72f3d4e68d7dc6a10bfad0e', operation='UPDATE', pgid='pgtrigger_used_once_e6d52', table='intake_tabletcode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='verdict',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='764be57da02c1afafa3a5b071b173e82f5c0dfd7', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c0a53', table='intake_verdict', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='verdict',
            trigger=pgtrigger.compiler.Trigger(name='tally_after_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM intake_tally_findings(ARRAY(SELECT finding_id FROM new_rows)); RETURN NULL;', hash='a2bc766ed91f23452ddc5b76dc53ef1e3ab894a9', level='STATEMENT', operation='INSERT', pgid='pgtrigger_tally_after_insert_a70c1', referencing='REFERENCING NEW TABLE AS new_rows ', table='intake_verdict', when='AFTER')),
        ),
    ]

"""Invitations of staff, and emergency access (ADR 0041)."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


# The role that runs the product ends an emergency access and changes nothing else of it, and removes neither.
KEPT = """
DO $$
DECLARE role record;
BEGIN
  FOR role IN
    SELECT DISTINCT grantee FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'clinic_emergencyaccess'
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE DELETE, TRUNCATE ON clinic_staffinvitation FROM %I', role.grantee);
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON clinic_emergencyaccess FROM %I', role.grantee);
    EXECUTE format('GRANT UPDATE (ended_at) ON clinic_emergencyaccess TO %I', role.grantee);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0002_sessions_round'),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffInvitation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=150, verbose_name='e-mail address')),
                ('role', models.CharField(max_length=40, verbose_name='role')),
                ('token_hash', models.BinaryField(max_length=32, null=True, unique=True, verbose_name='hash of the link')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='invited')),
                ('expires_at', models.DateTimeField(verbose_name='ends')),
                ('sent_at', models.DateTimeField(null=True, verbose_name='mailed')),
                ('revoked_at', models.DateTimeField(null=True, verbose_name='taken back')),
                ('accepted_at', models.DateTimeField(null=True, verbose_name='accepted')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invitation', to=settings.AUTH_USER_MODEL, verbose_name='account')),
            ],
            options={
                'verbose_name': 'invitation of staff',
                'verbose_name_plural': 'invitations of staff',
                'ordering': ['created_at'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='EmergencyAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='opened')),
                ('ends_at', models.DateTimeField(verbose_name='ends')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='emergencies', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'emergency access',
                'verbose_name_plural': 'emergency accesses',
                'ordering': ['-opened_at'],
                'permissions': [('open_emergency', 'Can open emergency access')],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('by',), name='emergency_one_at_a_time'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('opened_at')), ('ends_at__lte', django.db.models.expressions.CombinedExpression(models.F('opened_at'), '+', models.Value(datetime.timedelta(seconds=3600))))), name='emergency_an_hour_at_most')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='emergencyaccess',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d358eea2e6108566e613dec5abd6479942ec5643', operation='DELETE', pgid='pgtrigger_never_deleted_e4f9e', table='clinic_emergencyaccess', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='emergencyaccess',
            trigger=pgtrigger.compiler.Trigger(name='only_ends', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."ended_at" IS NOT NULL OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."ends_at" IS DISTINCT FROM (NEW."ends_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4adc3c8ade1eaf52bdfd6658a0227324bc679df0', operation='UPDATE', pgid='pgtrigger_only_ends_92770', table='clinic_emergencyaccess', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='staffinvitation',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(('accepted_at', None), ('revoked_at', None)), name='staff_invited_once'),
        ),
        migrations.AddConstraint(
            model_name='staffinvitation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('accepted_at', None), ('user', None)), models.Q(('accepted_at__isnull', False), ('user__isnull', False)), _connector='OR'), name='staff_invitation_accepted_whole'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='staffinvitation',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='288a3168832f91b200be2d2b63b4e53df6a1f510', operation='DELETE', pgid='pgtrigger_never_deleted_5db18', table='clinic_staffinvitation', when='BEFORE')),
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]

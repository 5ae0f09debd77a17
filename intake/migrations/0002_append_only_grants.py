"""The trail and the append-only rows: no role but the owner keeps the right to change or remove them.

The triggers of 0001 refuse updates and deletes too; a right that is not there cannot be used at all, not even
with triggers switched off.
"""

from django.db import migrations

REVOKE = """
DO $$
DECLARE target record;
BEGIN
  FOR target IN
    SELECT DISTINCT table_name, grantee
    FROM information_schema.role_table_grants
    WHERE table_schema = current_schema()
      AND table_name IN ('intake_auditevent', 'intake_verdict', 'intake_redflagcontact', 'intake_redflagevent')
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', target.table_name, target.grantee);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial")]

    operations = [migrations.RunSQL(REVOKE, migrations.RunSQL.noop)]

"""The trail becomes a chain (ADR 0034). Lines that are there already are linked in the order of their numbers."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

CHAIN = """
-- What a digest is made of: the same text whatever language or zone a session has.
CREATE FUNCTION intake_trail_line(event intake_auditevent) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT convert_to(
    concat_ws(
      E'\\x1f', event.id, extract(epoch FROM event.at), event.actor_kind, event.actor_id, event.action,
      event.objects_seen::text, event.detail::text
    ),
    'UTF8'
  )
$$;

-- Runs as the owner: the role that runs the product may not write a link by itself. The lock is taken when a
-- transaction commits, after all its other locks, so that it waits for nobody who waits for it.
CREATE FUNCTION intake_link_trail() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE last intake_traillink;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('intake_traillink'));
  SELECT * INTO last FROM intake_traillink ORDER BY number DESC LIMIT 1;
  INSERT INTO intake_traillink (number, event, digest) VALUES (
    COALESCE(last.number, 0) + 1,
    NEW.id,
    sha256(COALESCE(last.digest, ''::bytea) || intake_trail_line(NEW))
  );
  RETURN NULL;
END $$;

DO $$
DECLARE line intake_auditevent; digest bytea := ''; number bigint := 0;
BEGIN
  FOR line IN SELECT * FROM intake_auditevent ORDER BY id LOOP
    digest := sha256(digest || intake_trail_line(line));
    number := number + 1;
    INSERT INTO intake_traillink VALUES (number, line.id, digest);
  END LOOP;
END $$;

-- No trigger of pgtrigger's, which any session can tell to look away.
CREATE CONSTRAINT TRIGGER linked AFTER INSERT ON intake_auditevent
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION intake_link_trail();

DO $$
DECLARE role record;
BEGIN
  FOR role IN
    SELECT DISTINCT grantee FROM information_schema.role_table_grants
    WHERE table_schema = current_schema() AND table_name = 'intake_traillink'
      AND grantee <> current_user AND grantee <> 'PUBLIC'
  LOOP
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON intake_traillink FROM %I', role.grantee);
  END LOOP;
END $$;
"""
NO_CHAIN = """
DROP TRIGGER linked ON intake_auditevent;
DROP FUNCTION intake_link_trail();
DROP FUNCTION intake_trail_line(intake_auditevent);
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0018_names_by_frequency")]

    operations = [
        migrations.CreateModel(
            name="TrailLink",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("event", models.BigIntegerField(unique=True, verbose_name="line")),
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
            ],
            options={
                "verbose_name": "link of the trail",
                "verbose_name_plural": "links of the trail",
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="traillink",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="01dcca781760b38d737830db93b227f03b97f406",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_71244",
                    table="intake_traillink",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(CHAIN, NO_CHAIN),
    ]

"""The functions behind the triggers are planned once a connection, in the place of at every call.

Their statements join half the tables of the river: making the plan took longer than following it. What they are
given is a handful of ids, so a plan for any ids serves as well as one made for these.
"""

from django.db import migrations

FUNCTIONS = ("intake_place_on_worklist(uuid[])", "intake_tally_findings(bigint[])")


def alter(change: str) -> str:
    return "\n".join(f"ALTER FUNCTION {function} {change};" for function in FUNCTIONS)


class Migration(migrations.Migration):
    dependencies = [("intake", "0022_privacy")]

    operations = [
        migrations.RunSQL(alter("SET plan_cache_mode = force_generic_plan"), alter("RESET plan_cache_mode"))
    ]

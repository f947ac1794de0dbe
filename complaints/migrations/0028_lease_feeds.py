"""Feeds of leases say how far they have told, and look-ups learn of leases whose holder nobody knows.

has_waiting is set with the first lease that waits and never taken back: what a trigger takes back, a transaction beside
it may be about to need. Triggers on SQLite keep it while they change the version.

The rule of one holder on SQLite: reading the later history of a prefix for each row that is put in before it made an
unordered import of 10,000 leases of one address take 34 seconds. `longest` bounds what must be read: what began
earlier than the longest holding lasted is over. Where a prefix was once held for more than forty days, that says
little, and what was held for more than a day is found by its end as before (index assignment_long, whose condition
must stand here word by word; a + keeps the planner from another index).
"""

import importlib

import django.db.models.deletion
from django.db import migrations, models

plan = importlib.import_module("complaints.migrations.0013_address_plan")
in_use = importlib.import_module("complaints.migrations.0016_prefixes_in_use")
long_histories = importlib.import_module("complaints.migrations.0018_one_holder_of_long_histories")
POSTGRESQL = [
    """
CREATE FUNCTION complaints_lease_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM complaints_addressplanversion WHERE has_waiting) THEN
    INSERT INTO complaints_addressplanversion (id, value, has_waiting) VALUES (1, gen_random_uuid()::text, true)
    ON CONFLICT (id) DO UPDATE SET value = excluded.value, has_waiting = true;
  END IF;
  RETURN NULL;
END $$
""",
    "CREATE TRIGGER lease_waits AFTER INSERT ON complaints_waitinglease"
    " FOR EACH STATEMENT EXECUTE FUNCTION complaints_lease_waits()",
    "CREATE TRIGGER lease_feed_removed AFTER DELETE ON complaints_leasefeed"
    " FOR EACH ROW EXECUTE FUNCTION complaints_address_plan_changed()",
    "CREATE TRIGGER lease_feed_set_back AFTER UPDATE ON complaints_leasefeed"
    " FOR EACH ROW WHEN (new.told_until < old.told_until) EXECUTE FUNCTION complaints_address_plan_changed()",
]
NEW_VERSION = """
  UPDATE complaints_addressplanversion SET value = hex(randomblob(16)){more};
  INSERT INTO complaints_addressplanversion (id, value{columns})
  SELECT 1, hex(randomblob(16)){values} WHERE NOT EXISTS (SELECT 1 FROM complaints_addressplanversion);
"""
CHANGED = NEW_VERSION.format(more="", columns="", values="")
PLAN = "CREATE TRIGGER {table}_plan_{event} AFTER {event} ON {table} BEGIN" + CHANGED + "END"
EVENTS = ("INSERT", "UPDATE", "DELETE")
SECONDS = "CAST((julianday(new.valid_until) - julianday(new.valid_from)) * 86400 AS INTEGER) + 2"
IN_USE = (
    """
CREATE TRIGGER complaints_prefix_in_use_{event} AFTER {of} ON complaints_assignment BEGIN
  INSERT INTO complaints_prefixinuse (key)
  SELECT new.key WHERE NOT EXISTS (SELECT 1 FROM complaints_prefixinuse WHERE key = new.key);
  UPDATE complaints_prefixinuse SET longest = {seconds}
  WHERE new.valid_until IS NOT NULL AND key = new.key AND coalesce(longest, 0) < {seconds};
END
"""
).replace("{seconds}", SECONDS)
LONGEST = f"""
UPDATE complaints_prefixinuse SET longest = (
  SELECT max({SECONDS}) FROM complaints_assignment AS new WHERE new.key = complaints_prefixinuse.key
)
"""
FORTY_DAYS, SHORT = 40 * 86400, 26 * 3600
LONGEST_OF_IT = "coalesce((SELECT longest FROM complaints_prefixinuse WHERE key = new.key), 0)"
SINCE = (
    "coalesce(strftime('%Y-%m-%d %H:%M:%S', new.valid_from, '-' ||"
    f" CASE WHEN {LONGEST_OF_IT} <= {FORTY_DAYS} THEN {LONGEST_OF_IT} ELSE {SHORT} END || ' seconds'), '')"
)
IS_LONG = "(held.valid_until IS NULL OR julianday(held.valid_until) - julianday(held.valid_from) > 25 / 24.0)"
ONE_HOLDER = """
CREATE TRIGGER complaints_assignment_one_holder_{event} BEFORE {event} ON complaints_assignment
WHEN EXISTS (
  SELECT 1 FROM complaints_assignment AS held WHERE {other}{not_itself}
  AND held.valid_from >= {since} AND held.valid_from < coalesce(new.valid_until, {last})
  AND (held.valid_until IS NULL OR held.valid_until > new.valid_from)
) OR EXISTS (
  SELECT 1 FROM complaints_assignment AS held WHERE {other}{not_itself}
  AND coalesce(held.valid_until, {last}) = {last} AND {is_long} AND +held.valid_from < {since}
) OR ({longest} > {forty_days} AND EXISTS (
  SELECT 1 FROM complaints_assignment AS held WHERE {other}{not_itself}
  AND +held.valid_from < {since} AND coalesce(held.valid_until, {last}) > new.valid_from AND {is_long}
))
BEGIN
  SELECT RAISE(ABORT, 'two contracts would both hold the same at once (complaints_assignment_one_holder)');
END
"""
WORDS = {
    "other": long_histories.OTHER.format(row="new"),
    "since": SINCE,
    "last": plan.LAST,
    "is_long": IS_LONG,
    "longest": LONGEST_OF_IT,
    "forty_days": FORTY_DAYS,
}
RULES = (("INSERT", ""), ("UPDATE", " AND held.id <> new.id"))
USES = (("insert", "INSERT"), ("update", "UPDATE OF key, valid_from, valid_until"))
WAITS = NEW_VERSION.format(more=", has_waiting = 1", columns=", has_waiting", values=", 1")
SQLITE = [
    *(f"DROP TRIGGER {table}_plan_{event}" for table in plan.TABLES for event in EVENTS),
    *(PLAN.format(table=table, event=event) for table in plan.TABLES for event in EVENTS),
    "CREATE TRIGGER complaints_waitinglease_plan_INSERT AFTER INSERT ON complaints_waitinglease"
    " WHEN NOT EXISTS (SELECT 1 FROM complaints_addressplanversion WHERE has_waiting)"
    f" BEGIN {WAITS} END",
    f"CREATE TRIGGER complaints_leasefeed_plan_DELETE AFTER DELETE ON complaints_leasefeed BEGIN {CHANGED} END",
    "CREATE TRIGGER complaints_leasefeed_plan_UPDATE AFTER UPDATE ON complaints_leasefeed"
    f" WHEN new.told_until < old.told_until BEGIN {CHANGED} END",
    *(f"DROP TRIGGER complaints_prefix_in_use_{event}" for event, _ in USES),
    *(IN_USE.format(event=event, of=of) for event, of in USES),
    LONGEST,
    *(f"DROP TRIGGER complaints_assignment_one_holder_{event}" for event, _ in RULES),
    *(ONE_HOLDER.format(event=event, not_itself=not_itself, **WORDS) for event, not_itself in RULES),
]
FILL = (
    "UPDATE complaints_addressplanversion SET has_waiting = true WHERE EXISTS (SELECT 1 FROM complaints_waitinglease)"
)
UNMAKE_SQLITE = [
    "DROP TRIGGER complaints_waitinglease_plan_INSERT",
    "DROP TRIGGER complaints_leasefeed_plan_DELETE",
    "DROP TRIGGER complaints_leasefeed_plan_UPDATE",
    *(f"DROP TRIGGER complaints_prefix_in_use_{event}" for event, _ in USES),
    *in_use.SQLITE,
    *(f"DROP TRIGGER complaints_assignment_one_holder_{event}" for event, _ in RULES),
    *(
        long_histories.SQLITE.format(
            event=event, not_itself=not_itself, other=WORDS["other"], day_before=long_histories.DAY_BEFORE
        )
        for event, not_itself in RULES
    ),
]
UNMAKE_POSTGRESQL = [
    "DROP TRIGGER lease_feed_removed ON complaints_leasefeed",
    "DROP TRIGGER lease_feed_set_back ON complaints_leasefeed",
    "DROP FUNCTION complaints_lease_waits() CASCADE",
]


def make(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)
    schema_editor.execute(FILL, params=None)


def unmake(apps, schema_editor):
    statements = UNMAKE_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else UNMAKE_SQLITE
    for statement in statements:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("complaints", "0027_roles_and_read_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="LeaseFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="The file, dates in its name left out, or --feed", max_length=300, unique=True
                    ),
                ),
                ("reader", models.CharField(help_text="radius, kea, dhcpd or csv", max_length=20)),
                (
                    "told_until",
                    models.DateTimeField(help_text="Time of its newest event; never later than when that was read"),
                ),
                ("heard_at", models.DateTimeField(help_text="When we read the newest event")),
            ],
        ),
        migrations.AddField(
            model_name="addressplanversion",
            name="has_waiting",
            field=models.BooleanField(
                help_text="Whether leases of unknown holders ever waited: only then a look-up asks for them", null=True
            ),
        ),
        migrations.AddField(
            model_name="prefixinuse",
            name="longest",
            field=models.BigIntegerField(
                help_text="Seconds; no holding of it with an end was ever longer. For the rule of one holder, on SQLite alone",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="feed",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                help_text="The lease feed that told of it last; a look-up asks how far that one has told",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="complaints.leasefeed",
            ),
        ),
        migrations.AddField(
            model_name="waitinglease",
            name="feed",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="As Assignment.feed",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="complaints.leasefeed",
            ),
        ),
        migrations.RunPython(make, unmake),
    ]

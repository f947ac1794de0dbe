"""What a look-up relies on: it is told when the plan of addresses changed, and it need not read a long history.

Triggers give AddressPlanVersion a new random value with every row of our networks, shared machines and prefix lengths
that is written or removed. PostgreSQL: an upsert, SQLite: a row put in anew, because there the conflict rule of the
statement that fires a trigger (INSERT OR IGNORE) would override the trigger's own.

The index holds what was held for more than a day, by its end; shorter ones are found by their beginning, which is less
than a day before the time asked for (complaints/attribution/statements.py). So of ten thousand leases of one address
a handful is read.
"""

from django.db import migrations, models

EVENTS = (("changed", "INSERT OR UPDATE OR DELETE", "ROW"), ("emptied", "TRUNCATE", "STATEMENT"))
TABLES = ("complaints_network", "complaints_sharedmachine", "complaints_prefixlength")
LAST = "'9999-12-31 23:59:59.999999'"
INDEX = (
    "CREATE INDEX assignment_long ON complaints_assignment (key, coalesce(valid_until, {end}))"
    " WHERE valid_until IS NULL OR {length}"
)
POSTGRESQL = [
    """
CREATE FUNCTION complaints_address_plan_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO complaints_addressplanversion (id, value) VALUES (1, gen_random_uuid()::text)
  ON CONFLICT (id) DO UPDATE SET value = excluded.value;
  RETURN NULL;
END $$
""",
    *(
        f"CREATE TRIGGER address_plan_{name} AFTER {events} ON {table} FOR EACH {each}"
        " EXECUTE FUNCTION complaints_address_plan_changed()"
        for table in TABLES
        for name, events, each in EVENTS
    ),
    "INSERT INTO complaints_addressplanversion (id, value) VALUES (1, gen_random_uuid()::text)",
    INDEX.format(end="'infinity'::timestamptz", length="valid_until - valid_from > interval '25 hours'"),
]
TRIGGER = """
CREATE TRIGGER {table}_plan_{event} AFTER {event} ON {table} BEGIN
  DELETE FROM complaints_addressplanversion;
  INSERT INTO complaints_addressplanversion (id, value) VALUES (1, hex(randomblob(16)));
END
"""
SQLITE = [
    *(TRIGGER.format(table=table, event=event) for table in TABLES for event in ("INSERT", "UPDATE", "DELETE")),
    "INSERT INTO complaints_addressplanversion (id, value) VALUES (1, hex(randomblob(16)))",
    INDEX.format(end=LAST, length="julianday(valid_until) - julianday(valid_from) > 25 / 24.0"),
]


def make(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def unmake(apps, schema_editor):
    schema_editor.execute("DROP INDEX assignment_long")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION complaints_address_plan_changed() CASCADE")
    else:
        for table in TABLES:
            for event in ("INSERT", "UPDATE", "DELETE"):
                schema_editor.execute(f"DROP TRIGGER {table}_plan_{event}")


class Migration(migrations.Migration):
    dependencies = [("complaints", "0012_reporter_mail_ids")]

    operations = [
        migrations.CreateModel(
            name="AddressPlanVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("value", models.CharField(max_length=36)),
            ],
        ),
        migrations.RunPython(make, unmake),
    ]

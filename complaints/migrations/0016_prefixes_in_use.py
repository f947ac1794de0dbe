"""Each prefix that was ever assigned, once, kept by the database itself: look-ups ask no others.

Measured at 15,000,000 intervals of 1,200,000 prefixes: most of a look-up were the searches for prefixes that nobody
ever had, in two indexes of hundreds of megabytes.
"""

from django.db import migrations, models

POSTGRESQL = [
    """
CREATE FUNCTION complaints_note_prefixes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO complaints_prefixinuse (key) SELECT DISTINCT key FROM written ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
""",
    """
CREATE FUNCTION complaints_note_prefix() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO complaints_prefixinuse (key) VALUES (new.key) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
""",
    "CREATE TRIGGER prefix_in_use_inserted AFTER INSERT ON complaints_assignment REFERENCING NEW TABLE AS written"
    " FOR EACH STATEMENT EXECUTE FUNCTION complaints_note_prefixes()",
    "CREATE TRIGGER prefix_in_use_changed AFTER UPDATE OF key ON complaints_assignment"
    " FOR EACH ROW WHEN (old.key <> new.key) EXECUTE FUNCTION complaints_note_prefix()",
]
TRIGGER = """
CREATE TRIGGER complaints_prefix_in_use_{event} AFTER {of} ON complaints_assignment BEGIN
  INSERT INTO complaints_prefixinuse (key)
  SELECT new.key WHERE NOT EXISTS (SELECT 1 FROM complaints_prefixinuse WHERE key = new.key);
END
"""
SQLITE = [TRIGGER.format(event=event, of=of) for event, of in (("insert", "INSERT"), ("update", "UPDATE OF key"))]
FILL = "INSERT INTO complaints_prefixinuse (key) SELECT DISTINCT key FROM complaints_assignment"


def make(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)
    schema_editor.execute(FILL)


def unmake(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION complaints_note_prefixes(), complaints_note_prefix() CASCADE")
    else:
        for event in ("insert", "update"):
            schema_editor.execute(f"DROP TRIGGER complaints_prefix_in_use_{event}")


class Migration(migrations.Migration):
    dependencies = [("complaints", "0015_lease_identifiers")]

    operations = [
        migrations.CreateModel(
            name="PrefixInUse",
            fields=[
                ("key", models.BinaryField(editable=False, max_length=17, primary_key=True, serialize=False)),
            ],
        ),
        migrations.RunPython(make, unmake),
    ]

"""The rule of one holder reads a handful of rows also where an address had ten thousand leases.

As look-ups do (0013_address_plan): what was held for longer than a day is found by its end (index assignment_long,
whose condition must stand here word by word), and what was shorter by its beginning, a day before at most.
"""

from django.db import migrations

OTHER = "held.key = {row}.key AND held.contract_id <> {row}.contract_id AND held.port_first <= {row}.port_last" \
    " AND held.port_last >= {row}.port_first"
POSTGRESQL = """
CREATE OR REPLACE FUNCTION complaints_assignment_one_holder() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off AS $$
DECLARE
  one text;
  other text;
BEGIN
  SELECT c.reference, d.reference INTO one, other
  FROM (
    SELECT fresh.contract_id AS first_id, two.contract_id AS second_id FROM written AS fresh, LATERAL (
      SELECT held.contract_id FROM complaints_assignment AS held WHERE {other}
      AND held.valid_from >= fresh.valid_from - interval '26 hours'
      AND held.valid_from < coalesce(fresh.valid_until, 'infinity')
      AND (held.valid_until IS NULL OR held.valid_until > fresh.valid_from)
      UNION ALL
      SELECT held.contract_id FROM complaints_assignment AS held WHERE {other}
      AND held.valid_from < fresh.valid_from - interval '26 hours'
      AND coalesce(held.valid_until, 'infinity'::timestamptz) > fresh.valid_from
      AND (held.valid_until IS NULL OR held.valid_until - held.valid_from > interval '25 hours')
    ) AS two LIMIT 1
  ) AS pair
  JOIN complaints_contract AS c ON c.id = pair.first_id JOIN complaints_contract AS d ON d.id = pair.second_id;
  IF FOUND THEN
    RAISE EXCEPTION 'contracts % and % would both hold the same at once', one, other
      USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'complaints_assignment_one_holder',
      TABLE = 'complaints_assignment';
  END IF;
  RETURN NULL;
END $$
""".format(other=OTHER.format(row="fresh"))
DAY_BEFORE = "strftime('%Y-%m-%d %H:%M:%S', new.valid_from, '-26 hours')"
SQLITE = """
CREATE TRIGGER complaints_assignment_one_holder_{event} BEFORE {event} ON complaints_assignment
WHEN EXISTS (
  SELECT 1 FROM complaints_assignment AS held WHERE {other}{not_itself}
  AND held.valid_from >= {day_before} AND (new.valid_until IS NULL OR held.valid_from < new.valid_until)
  AND (held.valid_until IS NULL OR held.valid_until > new.valid_from)
) OR EXISTS (
  SELECT 1 FROM complaints_assignment AS held WHERE {other}{not_itself}
  AND held.valid_from < {day_before} AND coalesce(held.valid_until, '9999-12-31 23:59:59.999999') > new.valid_from
  AND (held.valid_until IS NULL OR julianday(held.valid_until) - julianday(held.valid_from) > 25 / 24.0)
)
BEGIN
  SELECT RAISE(ABORT, 'two contracts would both hold the same at once (complaints_assignment_one_holder)');
END
"""


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
        return
    for event, not_itself in (("INSERT", ""), ("UPDATE", " AND held.id <> new.id")):
        schema_editor.execute(f"DROP TRIGGER complaints_assignment_one_holder_{event}")
        words = {"event": event, "not_itself": not_itself, "other": OTHER.format(row="new"), "day_before": DAY_BEFORE}
        schema_editor.execute(SQLITE.format(**words), params=None)


class Migration(migrations.Migration):
    dependencies = [("complaints", "0017_outgoing_mail")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]

"""A post fits its person's account and an account never changes kind: triggers, so that no code path can make one person
two administrators. (A check constraint sees one row only; a composite foreign key cannot be declared portably.)
"""

from django.db import migrations

SQLITE = [
    """
    CREATE TRIGGER people_post_account_insert BEFORE INSERT ON people_post
    WHEN NOT EXISTS (SELECT 1 FROM people_person WHERE id = NEW.person_id AND account = NEW.account)
    BEGIN SELECT RAISE(ABORT, 'post_does_not_fit_the_account'); END
    """,
    """
    CREATE TRIGGER people_post_account_update BEFORE UPDATE OF person_id, account ON people_post
    WHEN NOT EXISTS (SELECT 1 FROM people_person WHERE id = NEW.person_id AND account = NEW.account)
    BEGIN SELECT RAISE(ABORT, 'post_does_not_fit_the_account'); END
    """,
    """
    CREATE TRIGGER people_person_account_fixed BEFORE UPDATE OF account ON people_person
    WHEN OLD.account <> NEW.account
    BEGIN SELECT RAISE(ABORT, 'account_never_changes_kind'); END
    """,
]
POSTGRESQL = [
    """
    CREATE FUNCTION people_post_account() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM people_person WHERE id = NEW.person_id AND account = NEW.account) THEN
            RAISE EXCEPTION 'post_does_not_fit_the_account' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER people_post_account BEFORE INSERT OR UPDATE OF person_id, account ON people_post
    FOR EACH ROW EXECUTE FUNCTION people_post_account()
    """,
    """
    CREATE FUNCTION people_person_account_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'account_never_changes_kind' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER people_person_account_fixed BEFORE UPDATE OF account ON people_person
    FOR EACH ROW WHEN (OLD.account <> NEW.account) EXECUTE FUNCTION people_person_account_fixed()
    """,
]
SQLITE_BACK = [
    "DROP TRIGGER people_post_account_insert",
    "DROP TRIGGER people_post_account_update",
    "DROP TRIGGER people_person_account_fixed",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER people_post_account ON people_post",
    "DROP FUNCTION people_post_account()",
    "DROP TRIGGER people_person_account_fixed ON people_person",
    "DROP FUNCTION people_person_account_fixed()",
]


def forwards(apps, schema_editor):
    for sql in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(sql)


def backwards(apps, schema_editor):
    for sql in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards, elidable=False)]

from django.db import migrations

from jiequ.core import insert_only


def protect(apps, schema_editor):
    insert_only.protect(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [migrations.RunPython(protect, migrations.RunPython.noop)]

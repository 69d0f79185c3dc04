from django.db import migrations
from django.utils import timezone

from jiequ.cases import search_index


def make_index(apps, schema_editor):
    search_index.make(schema_editor.connection)


def index_existing(apps, schema_editor):
    """Cases that are there already are indexed by a job, a batch at a time."""
    if apps.get_model("cases", "Case").objects.exists():
        now = timezone.now()
        apps.get_model("core", "Job").objects.create(
            kind="cases.index_texts", key="index-texts:0", args={"after": 0}, due_at=now, run_at=now
        )


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_finding"), ("core", "0002_insert_only")]

    operations = [
        migrations.RunPython(make_index, migrations.RunPython.noop),
        migrations.RunPython(index_existing, migrations.RunPython.noop),
    ]

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Count

from jiequ.cases.pyramid import class_of, counted

COLUMNS = ("zoom", "tile", "state_group", "type_group", "count", "east", "south")


def count_what_is_there(apps, schema_editor):
    street, case, rollup = apps.get_model("core", "Street"), apps.get_model("cases", "Case"), apps.get_model("cases", "Rollup")
    types = apps.get_model("cases", "EventType").objects.values_list("pk", "kind", "code")
    classes = {pk: class_of(kind, code) for pk, kind, code in types}
    for street_id in street.objects.values_list("pk", flat=True):
        there = case.objects.filter(street_id=street_id, q18__isnull=False).order_by()
        rows = counted(there.values_list("state", "event_type", "q18").annotate(n=Count("pk")), classes)
        fresh = (
            rollup(street_id=street_id, **dict(zip(COLUMNS, (*key, *sums), strict=True))) for key, sums in sorted(rows.items())
        )
        rollup.objects.bulk_create(fresh, batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0001_initial"),
        ("core", "0002_insert_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("zoom", models.SmallIntegerField()),
                ("tile", models.BigIntegerField(help_text="q18 >> 2 * (18 - zoom)")),
                (
                    "state_group",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("work", "work"), ("ended", "ended")],
                        max_length=8,
                    ),
                ),
                (
                    "type_group",
                    models.CharField(blank=True, help_text="kind's letter and two digits; empty: no type yet", max_length=4),
                ),
                ("count", models.IntegerField()),
                (
                    "east",
                    models.BigIntegerField(
                        help_text="sum of the cases' zoom-18 columns inside the tile: where their middle lies"
                    ),
                ),
                ("south", models.BigIntegerField(help_text="the same of the rows")),
                (
                    "street",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.street"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("street", "zoom", "tile", "state_group", "type_group"), name="rollup_once")
                ],
            },
        ),
        migrations.RunPython(count_what_is_there, migrations.RunPython.noop),
    ]

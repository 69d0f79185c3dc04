"""A published photo goes with its proof. Nothing changes in the database: Django itself carries the deletion on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("open311", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="publishedphoto",
            name="proof",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                primary_key=True,
                related_name="+",
                serialize=False,
                to="cases.proof",
            ),
        ),
    ]

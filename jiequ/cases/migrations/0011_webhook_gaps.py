"""What a webhook's follower passed over: numbers that a transaction may still hold."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0010_on_map")]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="gaps",
            field=models.JSONField(
                default=list, help_text="numbers that were passed over: [first, last, when (epoch seconds)]"
            ),
        ),
    ]

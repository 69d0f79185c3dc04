from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_webhooks")]

    operations = [
        migrations.RemoveIndex(model_name="case", name="case_q18"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["q18", "number", "state", "event_type", "due_at", "yellow_at", "lon", "lat", "street", "opened_by"],
                name="case_on_map",
            ),
        ),
    ]

"""Foreign keys that nothing is looked up by, or by an index that begins with them, need no index of their own.

Dropped by name: an AlterField would remake three large tables on SQLite, and lose the triggers on one of them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


NAMES = (
    "cases_case_condition_id_f93fc510",
    "cases_case_first_lead_id_28321dc1",
    "cases_case_merged_into_id_1b4320d8",
    "cases_case_split_from_id_bb00a00c",
    "cases_report_reporter_id_71b0779b",
    "cases_report_street_id_bbce481e",
    "cases_task_case_id_db8cf8f3",
    "cases_task_department_id_b552100d",
    "cases_task_person_id_ed0d8e8d",
    "cases_task_street_id_3e9554c7",
)
DROP = [f"DROP INDEX IF EXISTS {name}" for name in NAMES]


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0011_webhook_gaps"),
        ("core", "0002_insert_only"),
        ("grid", "0001_initial"),
        ("people", "0003_api_token"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="case",
            name="case_handler_newest",
        ),
        migrations.RemoveIndex(
            model_name="case",
            name="case_opened_by_newest",
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("handler__isnull", False)), fields=["handler", "-id"], name="case_handler_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("opened_by__isnull", False)), fields=["opened_by", "-id"], name="case_opened_by_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(condition=models.Q(("reporter__isnull", False)), fields=["reporter"], name="report_reporter"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(condition=models.Q(("wants_call", True)), fields=["street"], name="report_wants_call"),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP, migrations.RunSQL.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="case",
                    name="condition",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.filingcondition",
                    ),
                ),
                migrations.AlterField(
                    model_name="case",
                    name="first_lead",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.department",
                    ),
                ),
                migrations.AlterField(
                    model_name="case",
                    name="merged_into",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged_cases",
                        to="cases.case",
                    ),
                ),
                migrations.AlterField(
                    model_name="case",
                    name="split_from",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="split_cases",
                        to="cases.case",
                    ),
                ),
                migrations.AlterField(
                    model_name="report",
                    name="reporter",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="cases.reporter",
                    ),
                ),
                migrations.AlterField(
                    model_name="report",
                    name="street",
                    field=models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.street"
                    ),
                ),
                migrations.AlterField(
                    model_name="task",
                    name="case",
                    field=models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="tasks", to="cases.case"
                    ),
                ),
                migrations.AlterField(
                    model_name="task",
                    name="department",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.department",
                    ),
                ),
                migrations.AlterField(
                    model_name="task",
                    name="person",
                    field=models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AlterField(
                    model_name="task",
                    name="street",
                    field=models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.street"
                    ),
                ),
            ],
        ),
    ]

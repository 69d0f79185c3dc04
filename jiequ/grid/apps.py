from django.apps import AppConfig


class GridConfig(AppConfig):
    name = "jiequ.grid"
    label = "grid"
    default_auto_field = "django.db.models.BigAutoField"

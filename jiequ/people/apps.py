from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "jiequ.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"

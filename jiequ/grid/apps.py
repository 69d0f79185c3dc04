from django.apps import AppConfig


class GridConfig(AppConfig):
    name = "jiequ.grid"
    label = "grid"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell people how a worker's grids are handed over."""
        from jiequ.people.services import on_hand_over

        from .services.handover import held_grids, move_grids

        on_hand_over("grids", move_grids, held_grids)

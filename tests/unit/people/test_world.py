"""The named actors stand where they should."""

from __future__ import annotations

from jiequ.people.rules import Role
from tests.actors import World


def test_everybody_holds_the_seats_of_their_posts(world: World) -> None:
    street, other = world.street.pk, world.other_street.pk
    assert world.actor("lin").roles_in(street) == {Role.ACCEPTOR, Role.DISPATCHER}
    assert world.actor("lin").roles_in(other) == set()
    assert world.actor("huang").departments(Role.HANDLER) == {world.sanitation.pk}
    assert world.actor("du").has(Role.SUPERVISOR, street_id=other)
    assert world["林"].username == "lin"
    assert world.responsibility_a.worker == world.chen


def test_the_world_is_cheap(django_assert_max_num_queries, db: None) -> None:  # type: ignore[no-untyped-def]
    from tests.actors import make_world

    with django_assert_max_num_queries(25):
        make_world()

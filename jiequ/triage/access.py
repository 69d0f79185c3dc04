"""Who reads how the suggestions do, and who changes what they are made with: the model is the whole district's."""

from __future__ import annotations

from jiequ.people.rules import Role

READERS = (Role.SYSTEM_ADMIN, Role.ACCEPTOR, Role.DISPATCHER, Role.DUTY_LEADER, Role.SUPERVISOR, Role.LEADER)
KEEPERS = (Role.SYSTEM_ADMIN,)

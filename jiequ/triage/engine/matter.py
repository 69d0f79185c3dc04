"""What is known of a case when somebody decides who handles it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BLOCKS = (8, 12, 14, 18)  # the working day of DOMAIN §3: before it, morning, noon, afternoon, after it
MOST_GRAMS = 120  # of a text: its first lines say what it is about
MOST_LENGTH = 2_000  # characters of a text that are read
TEXT_VALUE = 4.0  # how far a step follows the words: 1, 2, 3, 5 had 35, 48, 51, 55 % right of 699 messages

# The fields of a feature, for the online model: alone, in pairs and one triple (tried on the first 70 % of the real orders).
CROSSES = (
    *("type", "group", "family", "grid", "street", "source", "kind", "block"),
    *("type+grid", "type+street", "type+source", "type+kind", "group+grid", "group+street", "group+source"),
    *("family+grid", "family+street", "family+source", "grid+source", "street+source", "type+street+source"),
)
FIELDS = {cross: tuple(cross.split("+")) for cross in CROSSES}


@dataclass(frozen=True, slots=True)
class Matter:
    """Codes as strings, empty where unknown; ``groups`` are broader classes of the type, nearest first; ``hour`` is local."""

    type: str
    street: str = ""
    grid: str = ""  # the community, or the unit grid where a district sends by it
    source: str = ""
    kind: str = ""  # complaint, consultation …, where a source tells one
    groups: tuple[str, ...] = ()
    hour: int | None = None
    text: str = ""

    def field(self, name: str) -> str:
        """One named part; what is not known is the empty string."""
        if name == "group":
            return self.groups[0] if self.groups else ""
        if name == "family":
            return self.groups[-1] if self.groups else ""
        if name == "block":
            return block_of(self.hour)
        return str(getattr(self, name))

    def key(self, fields: tuple[str, ...]) -> str | None:
        """The values of several parts as one key, or None where one of them is unknown."""
        values = [self.field(name) for name in fields]
        return "\x1f".join(values) if all(values) else None


def block_of(hour: int | None) -> str:
    """Which part of the working day an hour lies in, "0" to "4"."""
    return "" if hour is None else str(sum(hour >= edge for edge in BLOCKS))


def features_of(matter: Matter) -> list[tuple[str, float]]:
    """Named features with their values: each known field and cross counts 1, the text's pairs of characters 4 together (L2)."""
    return [("", 1.0), *_crosses(matter), *_grams(matter.text)]


def _crosses(matter: Matter) -> Iterator[tuple[str, float]]:
    for cross, fields in FIELDS.items():
        if (key := matter.key(fields)) is not None:
            yield f"{cross}\x1e{key}", 1.0


def _grams(text: str) -> list[tuple[str, float]]:
    solid = "".join(text[:MOST_LENGTH].split())
    grams = list(dict.fromkeys(solid[at : at + 2] for at in range(len(solid) - 1)))[:MOST_GRAMS]
    return [(f"text\x1e{gram}", TEXT_VALUE * len(grams) ** -0.5) for gram in grams]

"""Two files that somebody brought to have them compared: how far they are, what they became, or why nothing comes of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from jiequ.core.errors import NotFound, Refusal

from ..models import Asset, AssetState, Comparison
from . import pairs
from .imagery import Row, row_of

MOVING = (AssetState.WAITING, AssetState.WORKING)


@dataclass(frozen=True, slots=True)
class Brought:
    """A file as it came, and the picture that it is: another one's row where the same file had been here before."""

    row: Row
    picture: Asset

    @property
    def was_here(self) -> bool:
        """True for a file that was taken in before."""
        return self.row.asset.pk != self.picture.pk

    @property
    def is_moving(self) -> bool:
        """True while it waits or is worked on."""
        return self.picture.state in MOVING


@dataclass(frozen=True, slots=True)
class Two:
    """Both files; the pair that they make once they are ready; their comparison if there is one; why there will be none."""

    files: tuple[Brought, Brought]
    pair: pairs.Pair | None
    comparison_id: int | None
    why: str

    @property
    def is_moving(self) -> bool:
        """True while something is still to come."""
        return self.comparison_id is None and not self.why


def two_of(street_id: int, one_id: int, other_id: int) -> Two:
    """Both, in the order asked for. NotFound where either is not the street's. Four SELECTs at most."""
    found = {one.pk: one for one in _of_street(street_id).filter(pk__in=[one_id, other_id])}
    if one_id not in found or other_id not in found:
        raise NotFound("no_such_asset", _("没有找到这份影像。"))
    known = {one.pk: one for one in _of_street(street_id).filter(pk__in=[_twin(one) for one in found.values()])}
    one, other = (_brought(found[key], known) for key in (one_id, other_id))
    if one.is_moving or other.is_moving:
        return Two((one, other), None, None, "")
    pair, why = _paired(street_id, one, other)
    return Two((one, other), pair, _comparison_of(street_id, one.picture.pk, other.picture.pk), why)


def _of_street(street_id: int) -> QuerySet[Asset]:
    return Asset.objects.filter(street_id=street_id).defer("item", "footprint")


def _twin(asset: Asset) -> int:
    """Whose row stands for the file: its own, or that of the same file which came earlier."""
    known = asset.reason_facts.get("asset") if asset.reason == "twice" else None
    return known if isinstance(known, int) else asset.pk


def _brought(asset: Asset, known: dict[int, Asset]) -> Brought:
    return Brought(row_of(asset), known.get(_twin(asset), asset))


def _paired(street_id: int, one: Brought, other: Brought) -> tuple[pairs.Pair | None, str]:
    """The pair, or why they are none."""
    for file in (one, other):
        if file.picture.state == AssetState.UNUSABLE:
            return None, _("“%(name)s”不能用：%(why)s") % {"name": file.row.asset.name, "why": row_of(file.picture).why}
    if one.picture.pk == other.picture.pk:
        return None, _("两次选的是同一个文件，请另选一份。")
    if one.picture.taken_at == other.picture.taken_at:
        return None, _("两份影像的拍摄时间一样，分不出先后。请写明各是哪天拍的。")
    try:
        return pairs.pair_of(street_id, one.picture.pk, other.picture.pk), ""
    except Refusal as refused:
        return None, refused.message


def _comparison_of(street_id: int, one_id: int, other_id: int) -> int | None:
    """The newest comparison of just these two."""
    both = Q()
    for before, after in ((one_id, other_id), (other_id, one_id)):
        both |= Q(before=before, after=after) | Q(before=None, before_dsm=before, after_dsm=after)
    newest = Comparison.objects.filter(both, street_id=street_id, area__isnull=True).order_by("-pk")
    return newest.values_list("pk", flat=True).first()

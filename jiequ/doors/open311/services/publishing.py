"""What the desk lets everybody see of one case: a sentence of its own, and photos it looked at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from jiequ.cases.models import Case, Proof
from jiequ.cases.public_words import public
from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal
from jiequ.people.rules import Actor, Role

from ..models import Publication, PublishedPhoto

WORDS_MAX = 500
PUBLISHERS = (Role.ACCEPTOR, Role.DUTY_LEADER, Role.DISPATCHER, Role.LEADER)


def publish(case: Case, *, words: str, photo_ids: Collection[int], by: Actor, at: datetime) -> None:
    """From now on everybody reads these words, without personal data, and sees exactly these photos; none take them back.

    ``photo_ids`` are proofs of this case with a picture. Refusal for a report of wrongdoing, of which nothing is shown.
    """
    if not by.has(*PUBLISHERS, street_id=case.street_id):
        raise Forbidden("not_your_role", _("公开由本街道的受理、派遣、值班长或领导决定。"))
    words = public(words.strip(), keep=(case.number,))
    if len(words) > WORDS_MAX:
        raise Refusal("words_too_long", _("公开的话最多 500 字。"), facts={"field": "words"})
    if (case.is_confidential or case.is_suspect) and (words or photo_ids):
        raise Refusal("not_public", _("举报和待核查的案件什么都不公开。"))
    proofs = {proof.pk: proof for proof in Proof.objects.filter(case=case, picture__isnull=False, pk__in=list(photo_ids))}
    if len(proofs) < len(set(photo_ids)):
        raise Refusal("no_such_photo", _("有照片不属于这个案件，请刷新后再选。"), facts={"field": "photos"})
    with writing():
        _words(case, words, by=by, at=at)
        PublishedPhoto.objects.filter(case=case).exclude(proof_id__in=list(proofs)).delete()
        rows = [PublishedPhoto(proof=proof, case=case, at=at, by_id=by.person_id) for proof in proofs.values()]
        PublishedPhoto.objects.bulk_create(rows, ignore_conflicts=True)
        audit.record(
            street_id=case.street_id,
            person_id=by.person_id,
            action="open311.published",
            object_kind="case",
            object_id=str(case.pk),
            at=at,
            facts={"is_described": bool(words), "photos": len(proofs)},
        )


def links(case: Case, by: Actor) -> list[tuple[str, str]]:
    """The way from a case's page to this one, for whoever may decide."""
    if not by.has(*PUBLISHERS, street_id=case.street_id):
        return []
    return [(_("公开与转送"), reverse("open311:publish", args=[case.number]))]


def _words(case: Case, words: str, *, by: Actor, at: datetime) -> None:
    if words:
        values = {"words": words, "changed_at": at, "changed_by": by.person_id}
        Publication.objects.update_or_create(case=case, defaults=values)
    else:
        Publication.objects.filter(case=case).delete()

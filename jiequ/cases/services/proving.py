"""Proofs: what was shown, and what the closing condition still asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core import pictures
from jiequ.core.errors import Refusal
from jiequ.core.models import Picture
from jiequ.people.rules import Actor

from ..models import Case, Proof

MOST_PHOTOS = 9


def cleaned(files: Iterable[pictures.Readable]) -> list[pictures.Clean]:
    """The photos of one request through the one door, before any transaction. Refusal for too many or the first bad one."""
    files = list(files)
    if len(files) > MOST_PHOTOS:
        raise Refusal("too_many_photos", _("照片最多 %(n)d 张。") % {"n": MOST_PHOTOS}, facts={"limit": MOST_PHOTOS})
    return [pictures.clean(file) for file in files]


@dataclass(frozen=True, slots=True)
class Shown:
    """A proof as it is handed in: a picture, a text, or the number of a document (文书), and of which phase."""

    phase: str = Proof.Phase.AFTER
    picture: Picture | None = None
    text: str = ""
    is_document: bool = False

    @property
    def kind(self) -> str:
        if self.picture:
            return "photo"
        return "document" if self.is_document else "note"


def said_and_filed(case: Case, *, text: str, document: str) -> list[Shown]:
    """The words and the document's number as proofs, where the closing condition asks for such."""
    wanted = {need["kind"] for need in (case.condition.required_proofs if case.condition else ())}
    phases = {need["kind"]: need["phase"] for need in (case.condition.required_proofs if case.condition else ())}
    shown = []
    if text.strip() and "note" in wanted:
        shown.append(Shown(phase=phases["note"], text=text))
    if document.strip():
        shown.append(Shown(phase=phases.get("document", Proof.Phase.AFTER), text=document.strip(), is_document=True))
    return shown


def proofs_of(case: Case, shown: Sequence[Shown], *, by: Actor, at: datetime) -> list[Proof]:
    """Rows for what was handed in, marked with the round they belong to."""
    return [
        Proof(
            case=case,
            kind=s.kind,
            phase=s.phase,
            picture=s.picture,
            text=s.text,
            at=at,
            by_id=by.person_id,
            department_id=case.lead_id,
            round=round_of(case),
        )
        for s in shown
        if s.picture or s.text.strip()
    ]


def round_of(case: Case) -> int:
    """How often the case has come back: proofs of after and of the work count in their own round only."""
    return case.reworks + case.reopens


def missing_proofs(case: Case, new: Sequence[Proof] = (), *, proofs: Sequence[Proof] | None = None) -> list[dict[str, Any]]:
    """What the closing condition asks for and is not there. A photo of before may come from the report or any round."""
    if case.condition is None:
        return []
    held = [*(case.proofs.all() if proofs is None else proofs), *new]
    return [
        {**wanted, "held": count}
        for wanted in case.condition.required_proofs
        if (count := sum(_serves(case, proof, wanted) for proof in held)) < wanted.get("at_least", 1)
    ]


def _serves(case: Case, proof: Proof, wanted: dict[str, Any]) -> bool:
    if proof.kind != wanted["kind"]:
        return False
    if wanted["phase"] == Proof.Phase.BEFORE:
        return proof.phase in {Proof.Phase.BEFORE, Proof.Phase.REPORT}
    return proof.phase == wanted["phase"] and proof.round == round_of(case)


def need_proofs(case: Case, new: Sequence[Proof]) -> None:
    if missing := missing_proofs(case, new):
        raise Refusal("proof_missing", _("还缺结案条件要求的凭证。"), facts={"missing": missing})

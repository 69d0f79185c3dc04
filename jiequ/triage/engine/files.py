"""A model as a plain file: one ``.npz`` with its JSON inside, tied to one district by name and whole by its sum.

No pickle is read or written, so a file from outside can be wrong but cannot do anything.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from jiequ.triage.engine.calibrate import Thresholds
from jiequ.triage.engine.linear import Linear
from jiequ.triage.engine.model import TextModel
from jiequ.triage.engine.text import Weigher
from jiequ.triage.engine.types import EventType

FORMAT = 1
MOST_BYTES = 20_000_000
ANY_DISTRICT = "*"
"""Of the shipped start model, which knows no district's words."""


class ModelRefused(ValueError):
    """A file that is no model of this district. ``code``: missing, damaged, newer, other_district."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def save(model: TextModel, path: Path) -> str:
    """Write it beside and rename; returns the sha256 of the file."""
    data = to_bytes(model)
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(data)
    os.replace(beside, path)
    return hashlib.sha256(data).hexdigest()


def load(path: Path, *, district: str) -> TextModel:
    """The model of ``district`` (or the start model); ``ModelRefused`` if the file is anything else."""
    try:
        return from_bytes(path.read_bytes(), district=district)
    except OSError:
        raise ModelRefused("missing") from None


def to_bytes(model: TextModel) -> bytes:
    """The file's content; the same model gives the same bytes."""
    arrays = _arrays("names", model.names) | (_arrays("learnt", model.learnt) if model.learnt else {})
    facts = {
        "format": FORMAT,
        "district": model.district,
        "types": [[each.code, list(each.path), each.hints] for each in model.types],
        "names": list(model.names.codes),
        "learnt": list(model.learnt.codes) if model.learnt else None,
        "rarest": model.names.weigher.rarest,
        "cases": model.cases,
        "invented": model.invented,
        "temperature": model.temperature,
        "thresholds": asdict(model.thresholds),
        "made_at": model.made_at,
        "card": dict(model.card),
    }
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
    facts_of_file = {"sum": _sum(text, arrays), "facts": text}
    target = io.BytesIO()
    arrays["json"] = np.frombuffer(json.dumps(facts_of_file, ensure_ascii=False).encode(), np.uint8)
    np.savez_compressed(target, allow_pickle=False, **arrays)
    return target.getvalue()


def from_bytes(data: bytes, *, district: str) -> TextModel:
    """The other way; every doubt is a refusal."""
    arrays, facts = _opened(data)
    if facts.get("format") != FORMAT:
        raise ModelRefused("newer")
    if facts.get("district") not in (district, ANY_DISTRICT):
        raise ModelRefused("other_district")
    try:
        return _built(arrays, facts)
    except (KeyError, TypeError, ValueError, IndexError):
        raise ModelRefused("damaged") from None


def _opened(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_BYTES:
                raise ModelRefused("damaged")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        outer = json.loads(bytes(arrays.pop("json")).decode())
        facts = json.loads(outer["facts"])
        is_whole = outer["sum"] == _sum(outer["facts"], arrays) and isinstance(facts, dict)
    except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError):
        raise ModelRefused("damaged") from None
    if not is_whole:
        raise ModelRefused("damaged")
    return arrays, facts


def _sum(facts: str, arrays: Mapping[str, Any]) -> str:
    total = hashlib.sha256(facts.encode())
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()


def _arrays(name: str, part: Linear) -> dict[str, Any]:
    return {
        f"{name}_keys": part.weigher.keys,
        f"{name}_idf": part.weigher.idf.astype(np.float32),
        f"{name}_weights": part.weights,
        f"{name}_scales": part.scales,
        f"{name}_bias": part.bias,
    }


def _linear(name: str, codes: list[str], arrays: Mapping[str, Any], rarest: float) -> Linear:
    keys, idf, weights, scales, bias = (arrays[f"{name}_{part}"] for part in ("keys", "idf", "weights", "scales", "bias"))
    fits = weights.shape == (len(keys), len(codes)) and len(idf) == len(keys) and len(scales) == len(bias) == len(codes)
    is_plain = keys.dtype == np.uint32 and weights.dtype == np.int8 and idf.dtype == scales.dtype == bias.dtype == np.float32
    if not (fits and is_plain and np.all(np.diff(keys.astype(np.int64)) > 0)):
        raise ValueError(name)
    return Linear(tuple(codes), Weigher(keys, idf, rarest), weights, scales, bias)


def _built(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> TextModel:
    return TextModel(
        district=str(facts["district"]),
        types=tuple(EventType(code, tuple(path), hints) for code, path, hints in facts["types"]),
        names=_linear("names", facts["names"], arrays, float(facts["rarest"])),
        learnt=_linear("learnt", facts["learnt"], arrays, 0.0) if facts["learnt"] else None,
        cases=int(facts["cases"]),
        invented=int(facts.get("invented", 0)),
        temperature=float(facts["temperature"]),
        thresholds=Thresholds(**facts["thresholds"]),
        made_at=str(facts["made_at"]),
        card=facts["card"],
    )

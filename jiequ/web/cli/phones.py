"""The demonstration's phones: the emulator as a process beside ours, and our settings for its accounts.

The emulator is no part of an installation and nothing of ours imports it: it is started, and asked over HTTP.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from jiequ.web.cli.supervisor import Child, end_with_supervisor

TOKEN, AES_KEY = "demo", "Demo" * 10 + "123"
"""What the emulator signs and encrypts its pushes with; it listens on this machine only."""
SMS_CALLBACK_SECRET = "demo-" * 5 + "sms"
SMS_TEMPLATES = """\
# The emulator's one template says: 您的事项${number}：${text}
sign = "鹭港街道"

[resident]
code = "SMS_1"
with = { number = "number", text = "title" }

[staff]
code = "SMS_1"
with = { number = "number", text = "title" }
"""


def is_there() -> bool:
    """True in a checkout; an installed wheel has no emulator."""
    return importlib.util.find_spec("emulator") is not None


def accounts() -> dict[str, Any]:
    """The accounts the emulator begins with."""
    done = subprocess.run([sys.executable, "-m", "emulator.accounts"], check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def settings_for(known: dict[str, Any], emulator: str) -> dict[str, str]:
    """Our settings for these accounts of the emulator at that address."""
    wechat, wecom, robot, sms = known["wechat"], known["wecom"], known["dingtalk"], known["sms"]
    return {
        "JIEQU_WECHAT_APPID": wechat["appid"],
        "JIEQU_WECHAT_SECRET": wechat["secret"],
        "JIEQU_WECHAT_TOKEN": TOKEN,
        "JIEQU_WECHAT_AES_KEY": AES_KEY,
        "JIEQU_WECHAT_API": f"{emulator}/api",
        "JIEQU_WECHAT_OPEN": f"{emulator}/open",
        "JIEQU_WECHAT_MP": f"{emulator}/mp",
        "JIEQU_WECHAT_JSSDK": f"{emulator}/res/open/js/jweixin-1.6.0.js",
        "JIEQU_WECOM_CORPID": wecom["corpid"],
        "JIEQU_WECOM_AGENTID": wecom["agentid"],
        "JIEQU_WECOM_SECRET": wecom["secret"],
        "JIEQU_WECOM_TOKEN": TOKEN,
        "JIEQU_WECOM_AES_KEY": AES_KEY,
        "JIEQU_WECOM_CONTACTS_SECRET": wecom["contacts_secret"],
        "JIEQU_WECOM_API": f"{emulator}/qyapi",
        "JIEQU_WECOM_OPEN": f"{emulator}/open",
        "JIEQU_WECOM_JSSDK": f"{emulator}/res/open/js/jweixin-1.2.0.js",
        "JIEQU_DINGTALK_TOKEN": robot["token"],
        "JIEQU_DINGTALK_SECRET": robot["secret"],
        "JIEQU_DINGTALK_API": f"{emulator}/oapi",
        "JIEQU_SMS_PORTS": "aliyun",
        "JIEQU_SMS_API": f"{emulator}/sms",
        "JIEQU_SMS_KEY_ID": sms["key"],
        "JIEQU_SMS_KEY_SECRET": sms["secret"],
        "JIEQU_SMS_CALLBACK_SECRET": SMS_CALLBACK_SECRET,
        "JIEQU_MAIL_HOST": "127.0.0.1",
        "JIEQU_MAIL_TLS": "none",
        "JIEQU_MAIL_FROM": "jiequ@example.com",
    }


def write_sms_templates(folder: Path) -> dict[str, str]:
    """Which of the provider's templates says which notice, as a file in that folder; the setting that names it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "sms-templates.toml"
    file.write_text(SMS_TEMPLATES, encoding="utf-8")
    return {"JIEQU_SMS_TEMPLATES": str(file)}


def child(port: int, *, smtp_port: int, product: str, file: Path) -> Child:
    """The emulator as a child of the supervisor."""
    words = ["--port", str(port), "--smtp-port", str(smtp_port), "--product", product, "--file", str(file)]
    return Child("phones", [sys.executable, "-m", "jiequ.web.cli.phones", *words])


def main(words: list[str]) -> int:
    """Serve until SIGTERM, or until the supervisor is gone."""
    end_with_supervisor()
    from jiequ.web.cli.options import parse

    options: argparse.Namespace = parse(["emulator", *words])
    return int(importlib.import_module("emulator.command").main(options))


if __name__ == "__main__":
    os.environ.setdefault("JIEQU_CALLED_FROM", os.getcwd())
    sys.exit(main(sys.argv[1:]))

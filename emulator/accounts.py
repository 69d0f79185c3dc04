"""The scene's accounts, for whoever is to be set up with them: ``python -m emulator.accounts`` prints JSON."""

from __future__ import annotations

import json

from emulator import scene

ACCOUNTS = {
    "wechat": {"appid": scene.APPID, "secret": scene.SECRET},
    "wecom": {
        "corpid": scene.CORPID,
        "agentid": scene.AGENTID,
        "secret": scene.AGENT_SECRET,
        "contacts_secret": scene.CONTACTS_SECRET,
    },
    "sms": {"key": scene.SMS_KEY, "secret": scene.SMS_SECRET},
    "dingtalk": {"token": scene.ROBOT, "secret": scene.ROBOT_SECRET},
    "people": [{"id": key, "name": name, "userid": userid} for key, name, _role, _colour, userid in scene.PEOPLE],
}

if __name__ == "__main__":
    print(json.dumps(ACCOUNTS))  # noqa: T201

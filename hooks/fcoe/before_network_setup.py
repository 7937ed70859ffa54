#!/usr/bin/python3
"""fcoe: check before anything is changed, or write the configuration of the cards afterwards, as the point says."""

import os
import sys

import hooking

FOLDER = "/etc/fcoe"
KEYS = {"enable": "FCOE_ENABLE", "dcb": "DCB_REQUIRED", "auto_vlan": "AUTO_VLAN"}
USUAL = {"enable": "yes", "dcb": "no", "auto_vlan": "yes"}


def settings(text):
    """Raises ValueError."""
    found = dict(USUAL)
    for part in text.split(","):
        key, _, value = part.strip().partition("=")
        if key not in KEYS or value not in ("yes", "no"):
            raise ValueError(f"{part!r}: one of {', '.join(KEYS)}, an equals sign, yes or no are wanted")
        found[key] = value
    return found


def write(folder, card, wanted):
    lines = [f'{KEYS[key]}="{value}"' for key, value in wanted.items()] + ['MODE="fabric"', 'FIP_RESP="yes"', ""]
    path = os.path.join(folder, f"cfg-{card}")
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write("\n".join(lines))
    os.replace(path + ".new", path)


def forget(folder, card):
    try:
        os.unlink(os.path.join(folder, f"cfg-{card}"))
    except FileNotFoundError:
        return False
    return True


def main(folder=FOLDER):
    is_after = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0]))).startswith("after_")
    is_changed = False
    for network, attributes in hooking.read_json().get("request", {}).get("networks", {}).items():
        card, text = attributes.get("nic"), (attributes.get("custom") or {}).get("fcoe")
        if is_after and card and hooking.tobool(attributes.get("remove")):
            is_changed |= forget(folder, card)
        if not text or hooking.tobool(attributes.get("remove")):
            continue
        try:
            wanted = settings(text)
        except ValueError as error:
            hooking.exit_hook(f"fcoe of {network}: {error}")
        if not card or "/" in card:
            hooking.exit_hook(f"fcoe of {network}: the network needs a card of its own")
        if is_after:
            write(folder, card, wanted)
            is_changed = True
    if is_changed:
        status, _, errors = hooking.execCmd(["systemctl", "restart", "fcoe"], sudo=True, raw=True)
        if status != 0:
            hooking.exit_hook(f"the service fcoe was not restarted: {errors.decode(errors='replace').strip()}", 1)


if __name__ == "__main__":
    main()

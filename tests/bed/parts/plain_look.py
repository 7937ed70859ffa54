"""What lies on a domain, as the independent reader finds it. A program that runs in a bed: no agent has a part in it.

    plain_look.py files FOLDER       the domain's folder
    plain_look.py group DOMAIN       standard input: JSON, {volume: {"lv_tags": "..."}}

Standard output: {volume: [image, parent, capacity, generation]}.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "independent_reader"))

import plain_reader


def in_files(folder: str) -> dict[str, Any]:
    found = plain_reader.file_domain(folder)
    assert not found["deleted"], found["deleted"]
    return {
        volume: told(image, table) for image, volumes in found["images"].items() for volume, table in volumes.items()
    }


def in_group(domain: str, rows: dict[str, Any]) -> dict[str, Any]:
    volumes = {}
    slots = set()
    with open(f"/dev/{domain}/metadata", "rb") as area:
        for name, row in rows.items():
            tags = row["lv_tags"].split(",")
            if not any(tag.startswith("IU_") for tag in tags):
                continue
            noted = plain_reader.volume_tags(tags)
            assert "OVIRT_VOL_INITIALIZING" not in tags, name
            assert not noted["deleted"], name
            assert noted["slot"] not in slots, f"{name} shares slot {noted['slot']}"
            slots.add(noted["slot"])
            table = plain_reader.volume_in_slot(area, 5, int(noted["slot"]))
            assert (table["DOMAIN"], table["IMAGE"], table["PUUID"]) == (domain, noted["image"], noted["parent"])
            volumes[name] = told(noted["image"], table)
    return volumes


def told(image: str, table: dict[str, str]) -> list[Any]:
    assert table["LEGALITY"] == "LEGAL"
    return [image, table["PUUID"], plain_reader.capacity(table), int(table["GEN"])]


if __name__ == "__main__":
    kind, place = sys.argv[1:]
    print(json.dumps(in_files(place) if kind == "files" else in_group(place, json.load(sys.stdin))))

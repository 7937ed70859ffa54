"""A small schema that keeps every rule, and how to change it for one test."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from ovis.schema import Schema

GOOD: dict[str, Any] = {
    "classes": {
        "Lamp": {
            "doc": "Lights that hang in the machine room.",
            "verbs": {
                "dim": {
                    "doc": "Lowers the brightness step by step until the wanted one is reached.",
                    "since": "4.0",
                    "access": "operate",
                    "when": ["ready"],
                    "repeat": "safe",
                    "deadline": 10.0,
                    "params": {
                        "lampID": {"type": "string", "doc": "Which of the lights is meant, as printed on its socket."},
                        "brightness": {
                            "type": "uint",
                            "unit": "percent",
                            "range": [0, 100],
                            "doc": "Share of the full output wanted at the end.",
                            "optional": True,
                            "default": 50,
                        },
                        "fade": {
                            "type": "uint",
                            "unit": "ms",
                            "doc": "How long the change may take; absent changes at once.",
                            "optional": True,
                        },
                        "colour": {"type": "Colour", "doc": "Tint of the light; absent keeps it.", "optional": True},
                    },
                    "result": {"type": "LampState", "doc": "How the light shines after the change."},
                    "errors": ["NoSuchLamp"],
                }
            },
        }
    },
    "types": {
        "Colour": {
            "kind": "enum",
            "doc": "The tints that the hardware can show.",
            "since": "4.0",
            "values": {"red": {"doc": "Long waves, for the night."}, "blue": {"doc": "Short waves, for the day."}},
        },
        "LampState": {
            "kind": "object",
            "doc": "What is known of a light at one moment.",
            "since": "4.0",
            "fields": {
                "buffer": {
                    "type": "uint",
                    "unit": "bytes",
                    "wire": "text KiB",
                    "doc": "Room kept for the animation that runs.",
                },
                "tags": {"type": "Tags", "doc": "Notes of the janitor, by topic.", "optional": True},
                "how": {"type": "Source", "doc": "Where the power comes from; absent when off.", "optional": True},
            },
        },
        "Tags": {
            "kind": "map",
            "doc": "Topic of the note, and what it says.",
            "since": "4.0",
            "key": "Topic",
            "value": "string",
        },
        "Topic": {"kind": "alias", "doc": "A single lower-case word.", "since": "4.0", "of": "string"},
        "Source": {
            "kind": "union",
            "doc": "The mains or a battery, told apart by their members.",
            "since": "4.0",
            "any_of": ["Mains", "Battery"],
        },
        "Mains": {
            "kind": "object",
            "doc": "Power from the wall outlet.",
            "since": "4.0",
            "fields": {"outlet": {"type": "string", "doc": "Label beside the plug."}},
        },
        "Battery": {
            "kind": "object",
            "doc": "Power from a cell that runs empty.",
            "since": "4.0",
            "fields": {"charge": {"type": "float", "unit": "percent", "doc": "What is left of the energy."}},
        },
    },
    "events": {
        "|lamp|burnt|": {
            "doc": "A light went out for good and must be replaced.",
            "since": "4.0",
            "subject": "none",
            "params": {"when": {"type": "uint", "unit": "s", "doc": "Clock of the host as it happened."}},
        }
    },
    "errors": {7: {"name": "NoSuchLamp", "doc": "No light hangs at this socket; look at the list of lights."}},
}

REMOVE = object()


def changed(changes: dict[str, Any] | None = None) -> Schema:
    """The good schema with some places changed: `{"types/Colour/doc": ""}`; REMOVE takes a place away."""
    content = copy.deepcopy(GOOD)
    for path, value in (changes or {}).items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        holder: Any = content
        for part in parents:
            holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
        if value is REMOVE:
            del holder[last]
        else:
            holder[last] = value
    return msgspec.convert(content, Schema)

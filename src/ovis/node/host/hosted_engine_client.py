"""Speaks with the high availability service of a hosted engine, through the client library of its own packages.

    python3 hosted_engine_client.py status
    python3 hosted_engine_client.py maintenance GLOBAL|LOCAL yes|no

Run as a file by the distribution's Python, which has that library, and imports nothing of Ovis. Prints a line of JSON;
exit status 3: the library is not installed. Source of the names: ovirt_hosted_engine_ha, client.HAClient.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

NOT_INSTALLED = 3


def main(arguments: Sequence[str]) -> int:
    try:
        from ovirt_hosted_engine_ha.client import client  # type: ignore[import-not-found]
    except ImportError as error:
        print(error, file=sys.stderr)
        return NOT_INSTALLED
    service = client.HAClient()
    match list(arguments):
        case ["status"]:
            print(json.dumps(status(service)))
        case ["maintenance", mode, switched]:
            service.set_maintenance_mode(mode, switched == "yes")
        case _:
            return 2
    return 0


def status(service: Any) -> dict[str, object]:
    """Of this host. The service keeps what concerns all hosts under the number 0."""
    known = service.get_all_stats()
    everywhere, here = known.get(0, {}), known.get(service.get_local_host_id(), {})
    return {
        "configured": bool(here),
        "active": bool(here.get("live-data", False)),
        "globalMaintenance": bool(everywhere.get("maintenance", False)),
        "localMaintenance": bool(here.get("maintenance", False)),
        "score": max(0, min(int(here.get("score", 0)), 3400)),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A virt-v2v that behaves: it takes the same arguments, tells its progress, writes the volumes and leaves an OVF.

The guest's name steers it: `broken` fails, `hangs` never ends. What it was given is noted in seen.json beside the state
folder.
"""

import json
import os
import pathlib
import stat
import sys
import time


def main() -> int:
    words = sys.argv[1:]
    options: dict[str, list[str]] = {}
    at = words.index("--")
    given, (what,) = iter(words[:at]), words[at + 1 :]
    for word in given:
        if word != "--machine-readable":
            options.setdefault(word, []).append(next(given))
    own = [option.split("=", 1) for option in options["-oo"]]
    volumes = [value for key, value in own if key == "vdsm-vol-uuid"]
    images = [value for key, value in own if key == "vdsm-image-uuid"]
    single = dict(own)
    seen = {"arguments": words, "environment": dict(os.environ), "what": what}
    for path in map(pathlib.Path, options.get("-ip", [])):
        seen["password"] = path.read_text()
        seen["password mode"] = oct(stat.S_IMODE(path.stat().st_mode))
    work = pathlib.Path(single["vdsm-ovf-output"])
    (work.parent.parent.parent / "seen.json").write_text(json.dumps(seen))
    print('{ "message": "Opening the source", "type": "message" }', flush=True)
    if what == "broken" or options.get("-on") == ["broken"]:
        print("virt-v2v: error: no root device found\nin this image\n", file=sys.stderr)
        print("If reporting bugs, run virt-v2v with debugging:\n\n  virt-v2v -v -x [...]", file=sys.stderr)
        return 1
    for number, (image, volume) in enumerate(zip(images, volumes, strict=True), 1):
        print(f"[  10.0] Copying disk {number}/{len(volumes)}", flush=True)
        for percent in (0.0, 50.5):
            print(f"    ({percent:.2f}/100%)\r", end="", flush=True)
        while what == "hangs":
            time.sleep(0.1)
        (pathlib.Path(options["-os"][0]) / "images" / image / volume).write_bytes(b"converted")
        print("    (100.00/100%)\r", flush=True)
    (work / f"{single['vdsm-vm-uuid']}.ovf").write_text("<ovf>converted</ovf>")
    return 0


if __name__ == "__main__":
    sys.exit(main())

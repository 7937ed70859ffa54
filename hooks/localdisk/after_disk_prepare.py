#!/usr/bin/python3
"""localdisk: a copy of the disk on this host."""

import json
import os

import hooking
import hookxml

GROUP, POOL = "ovirt-local", "pool0"
KINDS = ("lvm", "lvmthin")


def run(*command):
    status, output, errors = hooking.execCmd(list(command), sudo=True, raw=True)
    if status != 0:
        raise OSError(f"{' '.join(command[:2])}: {errors.decode(errors='replace').strip()}")
    return output.decode()


def main():
    kind = os.environ.get("localdisk", "").strip()
    if not kind:
        return
    if kind not in KINDS:
        hooking.exit_hook(f"localdisk={kind}: one of {', '.join(KINDS)} is wanted")
    disk = hooking.read_json()
    if disk.get("device", "disk") != "disk":
        return
    try:
        volume = hookxml.plain(disk["volumeID"])
        copied(disk, volume, kind)
    except (OSError, ValueError, KeyError) as error:
        hooking.exit_hook(f"the disk was not copied: {error}")
    disk["path"], disk["format"] = f"/dev/{GROUP}/{volume}", "raw"
    hooking.write_json(disk)


def copied(disk, volume, kind):
    if is_there(volume):
        return
    form = "qcow2" if disk["format"] == "cow" else "raw"
    size = json.loads(run("qemu-img", "info", "--output=json", "-U", "-f", form, disk["path"]))["virtual-size"]
    unfinished = f"{volume}.new"  # under its own name only when it is whole
    if is_there(unfinished):
        run("lvremove", "-y", f"{GROUP}/{unfinished}")
    place = ["-V", f"{size}b", "--thinpool", POOL] if kind == "lvmthin" else ["-L", f"{size}b"]
    run("lvcreate", "-y", "-n", unfinished, *place, GROUP)
    try:
        run(
            "qemu-img",
            "convert",
            "-n",
            "-t",
            "none",
            "-f",
            form,
            "-O",
            "raw",
            disk["path"],
            f"/dev/{GROUP}/{unfinished}",
        )
        run("lvrename", GROUP, unfinished, volume)
    except OSError:
        run("lvremove", "-y", f"{GROUP}/{unfinished}")
        raise


def is_there(volume):
    status, _, _ = hooking.execCmd(["lvs", "--noheadings", f"{GROUP}/{volume}"], sudo=True)
    return status == 0


main()

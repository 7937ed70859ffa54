"""This machine set up for real, in a mount namespace in which every change goes to memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

# What the machine has mounted elsewhere (its /tmp, its sources) is there as it is; the rest is written to memory.
SCRIPT = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
for name in proc dev sys; do mount --rbind "/$name" "root/$name"; done
shift
exec chroot root env -C "$PWD" "$@"
"""


def in_a_copy(folder: Path, script: str) -> str:
    line = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        SCRIPT.replace("$PWD", os.getcwd()),
        "sh",
        str(folder),
        "sh",
        "-ec",
        script,
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_machine_is_set_up_though_it_was_killed_and_put_back(tmp_path: Path) -> None:
    setup = f"{sys.executable} -m ovis.node.setup"
    state = "find /etc/libvirt /etc/sanlock /etc/lvm /etc/m* /etc/udev /etc/tmpfiles.d -type f | sort | xargs md5sum"
    told = in_a_copy(
        tmp_path,
        f"""
        {state} > /before
        {setup} apply --no-services > /dev/null &
        until [ -e /var/lib/ovis/setup/bonding.json ]; do sleep 0.01; done
        kill -9 $!
        wait $! || echo killed
        {setup} apply --no-services
        id ovis
        getent group sanlock libvirt
        stat -c '%u:%g %a %n' /etc/ovis/pki /etc/ovis/pki/node-key.pem
        lvmconfig devices/filter
        openssl verify -CAfile /etc/pki/CA/cacert.pem /etc/pki/libvirt/servercert.pem
        {setup} apply --no-services
        {setup} undo --no-services
        {state} | diff /before -
        id -nG ovis | grep -q sanlock || echo no member any more
        """,
    )
    assert "killed\n" in told
    assert "uid=36(ovis) gid=36" in told
    assert "36:36 750 /etc/ovis/pki\n36:36 600 /etc/ovis/pki/node-key.pem" in told
    assert "dm-uuid-mpath" in told
    assert "servercert.pem: OK" in told
    assert "all is in place" in told
    assert "no member any more" in told
    assert not Path("/var/lib/ovis/setup").exists()

"""The Debian packages on a machine whose every change goes to memory; systemctl is played by a script there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy.packages.__main__ import make
from ovis import __version__
from tests.real.test_setup import in_a_copy

pytestmark = pytest.mark.real

# Knows what runs by a file for each unit, and writes down what else it is told.
SYSTEMCTL = """\
#!/bin/sh
[ "$1" = --quiet ] && { shift; quiet=yes; }
verb=$1; shift
case "$verb" in
    is-active) test -e "/run/units/$1"; exit ;;
    start) cd /run/units; touch "$@" ;;
    stop) cd /run/units; rm "$@" ;;
esac
echo systemctl $verb $* >> /run/told
"""
ID = "11111111-1111-4111-8111-111111111111"
BEGIN = f"""
exec 2>&1
rm -rf /var/lib/ovis /etc/ovis /rhev
mkdir -p /run/systemd/system /run/units /var/lib/vdsm/persistence/netconf/nets/ovirtmgmt
cat > /usr/local/sbin/systemctl <<'END'\n{SYSTEMCTL}END
chmod +x /usr/local/sbin/systemctl
quietly() {{ : > /run/told; "$@" > /log 2>&1 || {{ cat /log; exit 1; }}; }}
# what the machine lacks is not missed here: nothing of it is run
dpkg() {{ command dpkg --force-depends --no-triggers "$@"; }}
cd /
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("this is no Debian: there is no dpkg-deb")
    folder = tmp_path_factory.mktemp("packages")
    make(folder, 1)
    return " ".join(map(str, folder.glob("*.deb")))


def test_package_is_installed_upgraded_removed_and_purged(packages: str, tmp_path: Path) -> None:
    told = in_a_copy(
        tmp_path,
        f"""{BEGIN}
        quietly dpkg -i {packages}
        env -i ovis --version
        for words in "ovisd --version" "ovisd --check"; do setpriv --reuid 36 --regid 36 --clear-groups $words; done
        id ovis
        stat -c '%u:%g %a %n' /var/lib/ovis/node
        ovis-privileged --help | head -1
        ovis node hooks list | grep -ow qos | head -1
        find /usr/lib/ovis /usr/share/ovis ! -user root
        find /usr/lib/ovis -newer /log   # nothing was compiled when it ran
        dpkg --verify ovis

        ovis node setup apply --no-services certificates > /dev/null
        mkdir --mode 755 /run/ovis && chown 36:36 /run/ovis
        export OVIS_HYPERVISOR_URI=simulated: OVIS_LISTEN_PORT=0
        setpriv --reuid 36 --regid 36 --clear-groups ovisd 2> /log & agent=$!
        for _ in $(seq 100); do [ -S /run/ovis/ovisd.sock ] && break; sleep 0.2; done
        ovis node Host getCapabilities | grep -o cpuThreads || cat /log
        ovis node StorageDomain getStats storagedomainID={ID} || true   # parts that are loaded late are there
        kill $agent; wait $agent || echo "ended with $?"

        touch /run/units/ovisd.service
        quietly dpkg -i {packages}
        echo upgraded; cat /run/told

        quietly dpkg --remove ovis
        echo removed; cat /run/told; grep ^ovis: /log
        stat -c %n /var/lib/ovis/node
        ls /usr/bin | grep ^ovis || echo no program

        mkdir /var/lib/ovis/images
        quietly dpkg --purge ovis ovis-guest
        echo purged
        ls -d /usr/lib/ovis* /etc/ovis* /etc/*/ovis* /var/lib/ovis/* /rhev /var/lib/vdsm/persist* || true
        """,
    ).splitlines()
    print("\n".join(told))
    upgraded, removed, purged = (told.index(word) for word in ("upgraded", "removed", "purged"))
    assert told[:2] == [f"ovis {__version__}", f"ovisd {__version__}"]
    assert told[3].startswith("uid=36(ovis) gid=36")
    assert told[4] == "36:36 700 /var/lib/ovis/node"
    assert told[5].startswith("usage: ovis-privileged")
    assert told[6:8] == ["qos", "cpuThreads"]
    assert "the root helper cannot be reached" in told[8]
    assert "ended with" not in told
    assert told[upgraded + 1 : removed] == [
        "systemctl stop ovisd.service", "systemctl daemon-reload", "systemctl start ovisd.service",
    ]  # fmt: skip
    assert told[removed + 1].startswith("systemctl disable --now ovisd.service")
    assert "after the next boot nobody makes them" in told[removed + 2]
    assert told[removed + 3 : purged] == ["/var/lib/ovis/node", "no program"]
    assert [line for line in told[purged + 1 :] if "No such file" not in line] == [
        "/var/lib/ovis/images", "/var/lib/vdsm/persistence",
    ]  # fmt: skip


def test_purge_keeps_what_a_host_needs_that_is_set_up(packages: str, tmp_path: Path) -> None:
    told = in_a_copy(
        tmp_path,
        f"""{BEGIN}
        quietly dpkg -i {packages}
        ovis node setup apply --no-services modules certificates > /dev/null
        quietly dpkg --purge ovis
        grep 'are still configured' /log
        quietly dpkg -i {packages}
        ovis node setup undo --no-services > /dev/null
        quietly dpkg --purge ovis ovis-guest
        grep configured /log || echo nothing is
        ls -d /etc/ovis* /etc/*/ovis* /var/lib/ovis* || true
        """,
    ).splitlines()
    print(told)
    assert told[0].startswith("ovis: libvirt, LVM")
    assert told[1] == "nothing is"
    assert all("No such file" in line for line in told[2:])


def test_package_is_not_configured_where_number_36_is_somebody_elses(packages: str, tmp_path: Path) -> None:
    told = in_a_copy(
        tmp_path,
        f"""{BEGIN}
        useradd --system --uid 36 --gid 0 --no-create-home stranger
        dpkg -i {packages} > /log || grep "the user" /log
        userdel stranger
        quietly dpkg --configure ovis
        id --name --user 36
        """,
    ).splitlines()
    assert [line for line in told if "stranger" in line or line == "ovis"] == [
        "step accounts: the user stranger has the number 36; remove it, or give it another number",
        "ovis",
    ]

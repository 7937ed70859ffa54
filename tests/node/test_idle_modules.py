"""What an agent loads that only runs VMs: each module stays in its memory, which has a bound (see `make bench`)."""

import subprocess
import sys

SELDOM = {
    "argparse": "a service has few options",
    "cryptography": "made certificates come from outside",
    "importlib.metadata": "the version stands in the package",
    "urllib.request": "comes with xml.sax.saxutils",
    "xml.etree.ElementTree": "lxml is there anyway",
    "tarfile": "TPM state on its way",
    "ovis.client.api": "migrations",
    "ovis.node.imports.imports": "imports of VMs",
    "ovis.node.exports.exports": "exports of VMs",
}


def test_what_is_seldom_needed_is_not_loaded() -> None:
    code = "import sys, ovis.node.main, ovis.node.daemon, ovis.node.hypervisor.libvirt_driver; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not SELDOM.keys() & set(loaded.stdout.split())
    late = ("ovis.node.storage.", "ovis.node.network.")
    assert not [name for name in loaded.stdout.split() if (name + ".").startswith(late)]

"""The package of the Red Hat family: a spec over a tree that was made before, on the distribution it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.packages.dependencies import dependencies
from deploy.packages.python_folder import Interpreter
from deploy.packages.tree import EMPTY, everything
from deploy.setup.steps import command

_SCRIPTS = Path(__file__).with_name("scripts")
_SHARED = (
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/lib/systemd",
    "usr/lib/systemd/system",
    "usr/libexec",
    "usr/share",
    "usr/share/doc",
)
"""Folders of the distribution."""
_HEAD = """\
# Nothing is compiled here; extensions of Python packages stay as they were published.
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%global _buildhost ovis
%global use_source_date_epoch_as_buildtime 1

Name: ovis
Version: {version}
Release: {release}
Summary: Node agent of KVM hosts, with oVirt's API
License: Apache-2.0
AutoReqProv: no
{relations}

%description
Runs, watches and migrates virtual machines through libvirt, manages storage and networks of the host, and answers the
calls of oVirt's engine and of vdsm-client. Its Python packages are inside, below /usr/lib/ovis.

%install
cp -a %{{ovis_tree}}/. %{{buildroot}}/

"""


def spec(version: str, python: Interpreter, tree: Path) -> str:
    number, _, release = version.partition("-")
    known = dependencies()
    relations = [
        f"Requires: python(abi) = {python.version[0]}.{python.version[1]}",
        *sorted({f"Requires: {d.red_hat}" for d in known if d.is_needed and d.red_hat}),
        *sorted({f"Recommends: {d.red_hat}" for d in known if not d.is_needed and d.red_hat}),
        "Conflicts: vdsm",
    ]
    head = _HEAD.format(version=number, release=release, relations="\n".join(relations))
    return head + "\n".join(_scriptlets()) + "\n%files\n%defattr(-,root,root,-)\n" + "\n".join(_files(tree)) + "\n"


def _scriptlets() -> Iterator[str]:
    # rpm counts the versions that are installed afterwards; it knows no purge
    for section, condition, name in (
        ("%pre", '"$1" -gt 1', "before_upgrade"),
        ("%post", '"$1" -ge 1', "configure"),
        ("%preun", '"$1" -eq 0', "remove"),
    ):
        text = (_SCRIPTS / f"{name}.sh").read_text(encoding="utf-8").replace("%", "%%")
        yield f"{section}\nif [ {condition} ]; then\n{text}fi\n"


def _files(tree: Path) -> Iterator[str]:
    """Each by its name; folders that are ours as such, so that removal takes them away."""
    shared = {*_SHARED, *(str(folder.parent) for folder in EMPTY)}
    for path in everything(tree):
        name = str(path.relative_to(tree))
        if path.is_dir() and not path.is_symlink():
            if name not in shared:
                yield f'%dir "/{name}"'
        else:
            yield f'"/{name}"'


def build(spec_file: Path, tree: Path, target: Path, scratch: Path, seconds: int) -> Path:
    """Raises StepFailed: rpmbuild is not here, or does not like the spec."""
    defined = {
        "ovis_tree": tree,
        "_topdir": scratch,
        "_rpmdir": target,
        "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    }
    words = [word for name, value in defined.items() for word in ("--define", f"{name} {value}")]
    times = {"SOURCE_DATE_EPOCH": str(seconds)}
    command(["rpmbuild", "-bb", "--quiet", *words, spec_file], deadline=300, environment=times)
    (file,) = target.glob("*.rpm")
    return file

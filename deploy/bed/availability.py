"""Whether beds can run here."""

import os
import platform
import shutil

from deploy.bed import build, project
from deploy.bed.apt import BuildFailed

_PROGRAMS = ("unshare", "nsenter", "taskset", "ip", "apt-get", "mmdebstrap", "mke2fs")


def missing() -> str | None:
    """Why not; None when they can. Builds the image when it is not there."""
    if os.geteuid() != 0:
        return "only root can boot a bed: it takes namespaces"
    if platform.machine() != "x86_64":
        return f"beds are made for x86_64, this is {platform.machine()}"
    if lacking := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return f"not installed: {', '.join(lacking)}; run make setup"
    interpreter = project.PYTHON.resolve()
    if project.python_home() == project.SYSTEM and interpreter.name != project.SYSTEM_PYTHON:
        return f".venv stands on {interpreter}, the bed has {project.SYSTEM_PYTHON}"
    try:
        build.ensure()
    except BuildFailed as error:
        return f"the bed cannot be built: {error}"
    return None

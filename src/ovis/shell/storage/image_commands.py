"""`ovis node image`: list, bring in, take out and remove the images of the storage that is open on a host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovis.shell.failures import Exit, Failure, usage
from ovis.shell.options import node_options
from ovis.shell.output import as_json, as_yaml, chosen_format, write
from ovis.shell.talk import Options

if TYPE_CHECKING:
    from ovis.client.images.copying import Journal
    from ovis.client.images.image import Image
    from ovis.client.node import Node
    from ovis.shell.storage.images import Volume
    from ovis.shell.storage.place import DataPlace
    from ovis.shell.storage.repository import Row

FORMATS = ("raw", "qcow2")
STANDARD_INPUT = "-"


def image_group() -> click.Group:
    group = click.Group(
        "image",
        params=node_options(output_only=True),
        help="Bring disks into storage and take them out, through the image transfer daemon of the host.",
    )
    for command in (_list(), _upload(), _download(), _remove()):
        group.add_command(command)
    return group


def _domain() -> click.Option:
    return click.Option(["--domain"], default="", metavar="NAME|ID", help="Storage domain [the only one].")


def _data_options() -> list[click.Parameter]:
    return [
        click.Option(["--data-port"], type=click.IntRange(1, 65535), metavar="PORT", help="Of the daemon [54322]."),
        click.Option(["--data-socket"], default="", metavar="PATH", help="Of the daemon on this machine."),
        click.Option(["--verify"], is_flag=True, help="Compare the checksums of both sides afterwards."),
    ]


def _resume() -> click.Option:
    text = "Note there what is done, and go on with what is noted there."
    return click.Option(["--resume"], metavar="JOURNAL", help=text)


def _list() -> click.Command:
    def run(domain: str) -> None:
        from ovis.shell.storage import images, repository
        from ovis.shell.storage.commands import table
        from ovis.shell.storage.node import typed
        from ovis.shell.units import human_size

        with typed(_options()) as node:
            row = repository.only_domain(node, domain)
            known = sorted(node.storage_domain.get_images(row.domain))
            leaves = [images.leaf(node, row, image) for image in known]
            found = [node.volume.get_info(leaf.volume, leaf.domain, leaf.image, leaf.pool) for leaf in leaves]
        lines = [("DISK", "FORMAT", "SIZE", "TAKES", "DESCRIPTION")]
        values = []
        for info in found:
            form, size = info.format.value if info.format else "-", int(info.capacity or 0)
            text = info.description or ""
            lines.append((str(info.image), form, human_size(size), human_size(int(info.truesize)), text[:60]))
            values.append(
                {"image": info.image, "volume": info.uuid, "format": form, "capacity": size,
                 "truesize": int(info.truesize), "description": text}
            )  # fmt: skip
        _tell(values, table(lines) if values else "No images\n")

    return click.Command(
        "list", params=[*node_options(output_only=True), _domain()], callback=run, help="List the images of a domain."
    )


def _upload() -> click.Command:
    return click.Command(
        "upload",
        params=[
            *node_options(output_only=True),
            click.Argument(["file"]),
            _domain(),
            click.Option(["--format", "form"], type=click.Choice(FORMATS), help="Of the volume [raw if FILE is raw]."),
            click.Option(["--source-format"], default="", metavar="FORMAT", help="Of FILE [found out]."),
            click.Option(["--size"], metavar="BYTES", type=click.IntRange(1), help="Of the disk, when FILE is -."),
            click.Option(["--preallocate"], is_flag=True, help="Take all storage at once."),
            click.Option(["--description"], default="", metavar="TEXT", help="[the name of FILE]"),
            click.Option(
                ["--resume"], metavar="JOURNAL", help="Keep what was done in this file; go on with what is in it."
            ),
            *_data_options(),
        ],
        callback=_run_upload,
        help="Make a new image of the disk in FILE, which may be raw, qcow2, vmdk, vdi, vhdx or vpc; - reads a raw "
        "disk of --size bytes from standard input.",
    )


def _run_upload(
    file: str, domain: str, form: str | None, source_format: str, size: int | None, preallocate: bool,
    description: str, resume: str | None, data_port: int | None, data_socket: str, verify: bool,
) -> None:  # fmt: skip
    from ovis.client.images.stream import StreamImage
    from ovis.shell.storage import images, repository
    from ovis.shell.storage.node import typed
    from ovis.shell.storage.place import data_place

    options = _options()
    place = data_place(options, data_port, data_socket)
    if file == STANDARD_INPUT:
        if size is None or resume or verify:
            raise usage("From standard input --size is needed, and neither --resume nor --verify is possible")
        with _errors(), typed(options) as node:
            row = repository.only_domain(node, domain)
            source = StreamImage(sys.stdin.buffer, size)
            name = description or "standard input"
            volume = _bring_in(node, place, row, source, form == "qcow2", preallocate, name, None)
    else:
        with _errors():
            disk = images.look_at(Path(file), source_format)
        is_qcow2 = form == "qcow2" or (form is None and disk.driver != "raw")
        name = description or Path(file).name
        with _errors(), images.content(disk) as content, typed(options) as node:
            row = repository.only_domain(node, domain)
            volume = _bring_in(node, place, row, content, is_qcow2, preallocate, name, resume)
            if verify:
                _verify(node, place, volume, content)
    _tell({"image": volume.image, "volume": volume.volume, "domain": volume.domain}, f"Image {volume.image}\n")


def _bring_in(
    node: Node, place: DataPlace, row: Row, source: Image, is_qcow2: bool, preallocate: bool, name: str,
    resume: str | None,
) -> Volume:  # fmt: skip
    from ovis.client.images.image import ImageError
    from ovis.shell.storage import images
    from ovis.shell.storage.progress import progress

    volume = _begun(resume, source) or images.new_volume(
        node, row, source.size, is_qcow2=is_qcow2, is_preallocated=preallocate, description=name
    )
    journal = _journal(resume, volume, source)
    try:
        with progress("upload", source.size) as advance:
            images.upload(node, place, source, volume, journal=journal, on_progress=advance)
    except BaseException as error:
        if resume is None:
            images.remove(node, volume)
        elif isinstance(error, ImageError | OSError):
            error.add_note(f"Go on with: --resume {resume}")
        raise
    if journal is not None:
        journal.remove()
    return volume


def _download() -> click.Command:
    return click.Command(
        "download",
        params=[
            *node_options(output_only=True),
            click.Argument(["image"]),
            click.Argument(["file"]),
            _domain(),
            click.Option(["--format", "form"], type=click.Choice(FORMATS), default="qcow2", help="Of FILE [qcow2]."),
            click.Option(
                ["--resume"], metavar="JOURNAL", help="Keep what was done in this file; go on with what is in it."
            ),
            *_data_options(),
        ],
        callback=_run_download,
        help="Write the disk of an image, named by its id or the start of it, to a new FILE.",
    )


def _run_download(
    image: str, file: str, domain: str, form: str, resume: str | None, data_port: int | None, data_socket: str,
    verify: bool,
) -> None:  # fmt: skip
    from ovis.shell.storage import images, repository
    from ovis.shell.storage.node import typed
    from ovis.shell.storage.place import data_place
    from ovis.shell.storage.progress import progress

    options, path = _options(), Path(file)
    place = data_place(options, data_port, data_socket)
    with _errors(), typed(options) as node:
        row = repository.only_domain(node, domain)
        volume = images.find(node, row, image)
        goes_on = resume is not None and Path(resume).exists() and path.exists()
        disk = images.Disk(path, form, volume.size) if goes_on else images.new_file(path, form, volume.size)
        try:
            with images.content(disk, is_writable=True) as target:
                journal = _journal(resume, volume, target)
                with progress("download", volume.size) as advance:
                    images.download(node, place, volume, target, journal=journal, on_progress=advance)
                if verify:
                    _verify(node, place, volume, target)
        except BaseException:
            if resume is None:
                path.unlink(missing_ok=True)
            raise
        if journal is not None:
            journal.remove()
    _tell({"file": file, "size": volume.size, "format": form}, f"{file}\n")


def _remove() -> click.Command:
    def run(image: str, domain: str, wipe: bool) -> None:
        from ovis.shell.storage import images, repository
        from ovis.shell.storage.node import typed

        with typed(_options()) as node:
            row = repository.only_domain(node, domain)
            volume = images.find(node, row, image)
            images.remove(node, volume, wipe=wipe)
        _tell({"image": volume.image}, f"Image {volume.image} is removed\n")

    return click.Command(
        "remove",
        params=[
            *node_options(output_only=True),
            click.Argument(["image"]),
            _domain(),
            click.Option(["--wipe"], is_flag=True, help="Overwrite its data on block storage."),
        ],
        callback=run,
        help="Remove an image, named by its id or the start of it, with all its volumes.",
    )


def _verify(node: Node, place: DataPlace, volume: Volume, content: Image) -> None:
    from ovis.shell.storage import images
    from ovis.shell.storage.progress import progress

    with progress("verify", content.size) as advance:
        images.verify(node, place, volume, content, advance)


def _journal(resume: str | None, volume: Volume, content: Image) -> Journal | None:
    from ovis.client.images.copying import Journal

    return Journal(Path(resume), _head(volume, content)) if resume else None


def _head(volume: Volume, content: Image) -> str:
    return f"{volume.domain} {volume.pool} {volume.image} {volume.volume} {int(volume.is_qcow2)} {content.size}"


def _begun(resume: str | None, content: Image) -> Volume | None:
    """The volume of an upload that is to go on, as its journal's first line names it."""
    from ovis.shell.storage.images import Volume

    if resume is None or not Path(resume).exists():
        return None
    words = Path(resume).read_text().partition("\n")[0].split()[3:]
    if len(words) != 6:
        raise usage(f"{resume} is no journal of an upload")
    domain, pool, image, volume, is_qcow2, size = words
    return Volume(domain, pool, image, volume, int(size), is_qcow2 == "1")


class _errors:  # noqa: N801  # reads as what it is: with _errors()
    """What goes wrong with images, as a Failure."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from ovis.client.images.image import ImageError
        from ovis.client.untyped import RpcError

        if isinstance(error, ImageError) or (isinstance(error, OSError) and not isinstance(error, RpcError)):
            raise Failure(Exit.ERROR, str(error), "\n".join(getattr(error, "__notes__", []))) from error


def _options() -> Options:
    return click.get_current_context().ensure_object(Options)


def _tell(value: Any, text: str) -> None:
    output = chosen_format(_options().output)
    write(text if output == "table" else as_yaml(value) if output == "yaml" else as_json(value))

"""Reads storage domains of version 3 to 5 into dictionaries of what the disk spells. Stops at anything odd."""

import hashlib
import io
import json
import os
import re
import tarfile
import uuid

ZERO_ID = "0" * 8 + "-0000-0000-0000-" + "0" * 12


class Odd(Exception):
    pass


# ---- key=value text -------------------------------------------------------------------------------------------------


def checked(pairs):
    """A list of (key, value), one of them the seal -> dictionary without the seal."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise Odd("a key twice")
    claimed = table.pop("_SHA_CKSUM", "no seal")
    digest = hashlib.sha1()
    for key, value in sorted(table.items()):
        for character in f"{key}={value}":
            digest.update(character.encode() if ord(character) < 128 else f"&#{ord(character)};".encode())
    if digest.hexdigest() != claimed:
        raise Odd(f"seal {claimed}, computed {digest.hexdigest()}")
    return table


def split(line):
    key, equals, value = line.partition("=")
    if equals != "=":
        raise Odd(f"no '=' in {line!r}")
    return key, value


def domain_file(content):
    lines = content.decode("utf-8").split("\n")
    if lines.pop() != "":
        raise Odd("no newline at the end")
    return checked([split(line) for line in lines])


def domain_tags(tags):
    if "RHAT_storage_domain" not in tags:
        raise Odd("not a domain")
    plain = []
    for tag in tags:
        if tag[:4] == "MDT_":
            pieces = tag[4:].split("&")  # text, number, text, number, ..., text
            for place in range(1, len(pieces), 2):
                pieces[place] = chr(int(pieces[place]))
            plain.append(split("".join(pieces)))
    return checked(plain)


# ---- volumes --------------------------------------------------------------------------------------------------------


def volume(content):
    text, end, behind = content.partition(b"EOF\n")
    if not end or behind.strip(b"\0") or len(text) + 4 > 512:
        raise Odd("no end, too long, or something behind the end")
    table = dict(split(line) for line in text.decode("utf-8").splitlines())
    if list(table) != sorted(table):
        raise Odd("not sorted")
    return table


def capacity(table):
    return int(table["CAP"]) if "CAP" in table else int(table["SIZE"]) * 512


def slot_place(version, number):
    return 1048576 + number * 8192 if version == 5 else number * 512


def volume_in_slot(area, version, number):
    """`area`: an open file of the logical volume `metadata`."""
    area.seek(slot_place(version, number))
    return volume(area.read(512))


def volume_tags(tags):
    table = {}
    for tag in tags:
        for prefix, name in (("IU_", "image"), ("PU_", "parent"), ("MD_", "slot")):
            if tag.startswith(prefix):
                table[name] = tag[3:]
    table["deleted"] = table["image"].startswith("_remove_me_")
    table["wipe"] = table["image"].startswith("_remove_me_ZERO_")
    table["image"] = table["image"][-36:]
    return table


# ---- leases ---------------------------------------------------------------------------------------------------------


def volume_lease_place(number, alignment):
    return alignment * 100 + alignment * number


def lease_index(area, alignment):
    """`area`: an open file of `xleases` -> {"lockspace", "time", "updating", "leases": {id: (offset, updating)}}."""
    area.seek(alignment)
    index = area.read(62 * 4096)
    if len(index) != 253952 or index[:4].hex() != "12152016" or index[5:9] != b"0001" or index[511:512] != b"\n":
        raise Odd("no index")
    leases = {}
    for number in range(3960):
        record = index[512 + number * 64 : 576 + number * 64]
        name = record[0:48].rstrip(b"\0").decode("ascii")
        if record[63:] != b"\n" or record[48] or record[60] or record[61:62] not in b"u-":
            raise Odd(f"record {number}")
        if name:
            offset = int(record[49:60])
            if offset != alignment * 3 + alignment * number:
                raise Odd(f"record {number} says {offset}")
            leases[name] = (offset, record[61:62] == b"u")
    return {
        "lockspace": index[10:58].rstrip(b"\0").decode("ascii"),
        "time": int(index[59:69]),
        "updating": index[70:71] == b"u",
        "leases": leases,
    }


# ---- mailbox --------------------------------------------------------------------------------------------------------


def mailbox_page(area, host, *, sum_checked=True):
    """{slot: ("extend", domain, volume, MiB) or "clear"}"""
    area.seek(host * 4096)
    page = area.read(4096)
    total = 0
    for byte in page[:4092]:
        total += byte
    if sum_checked and total % 2**32 != int.from_bytes(page[4092:], "little"):
        raise Odd(f"sum of page {host}")
    found = {}
    for slot in range(63):
        mail = page[slot * 64 : slot * 64 + 64]
        if mail == b"\x01" * 64:
            found[slot] = "clear"
        elif mail[0:5] == b"1xtnd":
            domain, target = (str(uuid.UUID(bytes=mail[at : at + 16][::-1])) for at in (5, 21))
            found[slot] = ("extend", domain, target, int(mail[37:53], 16))
        elif mail[0:1] not in b"\0" and mail[0:1] not in b"0":
            raise Odd(f"message {slot}")
    return found


def event(area):
    area.seek(0)
    block = area.read(512)
    return block[4:20] if block[:4] == b"\0evt" else None


# ---- OVF store ------------------------------------------------------------------------------------------------------


def ovf_store(content):
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}
    info = json.loads(files.pop("info.json"))
    statuses = json.loads(files.pop("metadata.json", b'{"VM Status": {}}'))["VM Status"]
    return {
        "updated": info["Last Updated"],
        "domains": [domain["uuid"] for domain in info["Storage Domains"]],
        "ovfs": {name[:-4]: content for name, content in files.items() if name.endswith(".ovf")},
        "statuses": statuses,
    }


# ---- a whole file domain --------------------------------------------------------------------------------------------


def file_domain(folder):
    """`folder`: .../mnt/<server:_path>/<domain id> -> {"keys", "images": {id: {volume id: keys}}, "deleted": [ids]}."""
    with open(os.path.join(folder, "dom_md", "metadata"), "rb") as file:
        keys = domain_file(file.read())
    if keys["SDUUID"] != os.path.basename(folder):
        raise Odd("another domain's metadata")
    images, deleted = {}, []
    for image in sorted(os.listdir(os.path.join(folder, "images"))):
        if image.startswith("_remove_me_"):
            deleted.append(image[-36:])
            continue
        images[image] = {}
        for name in os.listdir(os.path.join(folder, "images", image)):
            if re.fullmatch(r"[0-9a-f-]{36}\.meta", name):
                with open(os.path.join(folder, "images", image, name), "rb") as file:
                    table = images[image][name[:36]] = volume(file.read())
                if table["DOMAIN"] != keys["SDUUID"] or table["IMAGE"] != image:
                    raise Odd(f"{name} belongs elsewhere")
    for volumes in images.values():
        for table in volumes.values():
            if table["PUUID"] != ZERO_ID and table["PUUID"] not in volumes:
                raise Odd("a parent is missing")
    return {"keys": keys, "images": images, "deleted": deleted}


def mount_folder(remote_path):
    return "".join({"_": "__", "/": "_"}.get(character, character) for character in remote_path)

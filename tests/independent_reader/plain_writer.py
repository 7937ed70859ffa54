"""Writes storage domains from dictionaries of what the disk is to spell. For tests: no care of crashes."""

import hashlib
import io
import json
import os
import tarfile
import uuid

TAG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.-/=!:#")


def sealed_lines(table):
    lines = sorted(f"{key}={value}" for key, value in table.items())
    lines.sort(key=lambda line: line.split("=", 1)[0])
    joined = ""
    for line in lines:
        joined += "".join(letter if letter < "\x80" else f"&#{ord(letter)};" for letter in line)
    return [*lines, "_SHA_CKSUM=" + hashlib.sha1(joined.encode()).hexdigest()]


def domain_file(table):
    return "".join(line + "\n" for line in sealed_lines(table)).encode("utf-8")


def domain_tags(table):
    tags = ["RHAT_storage_domain"]
    for line in sealed_lines(table):
        tags.append("MDT_" + "".join(c if c in TAG_LETTERS else f"&{ord(c)}&" for c in line))
    return tags


def volume(table):
    content = b""
    for key in sorted(table):
        content += key.encode() + b"=" + str(table[key]).encode("utf-8") + b"\n"
    content += b"EOF\n"
    assert len(content) <= 512
    return content


def volume_into_slot(area, version, number, table):
    area.seek(1048576 + number * 8192 if version == 5 else number * 512)
    content = volume(table)
    area.write(content + bytes(512 - len(content)))


def volume_tags(image, parent, slot, *, deleted=False, wipe=False):
    mark = "_remove_me_ZERO_" if wipe else "_remove_me_" if deleted else ""
    return [f"IU_{mark}{image}", f"PU_{parent}", f"MD_{slot}"]


def lease_index(area, alignment, lockspace, time, leases):
    """`leases`: {record number: (id, updating)}"""
    index = bytearray(253952)
    index[0:4] = bytes.fromhex("12152016")
    index[5:9] = b"0001"
    index[10 : 10 + len(lockspace)] = lockspace.encode()
    index[59:69] = str(time).rjust(10, "0").encode()
    index[70] = ord("-")
    index[511] = 10
    for number in range(3960):
        name, updating = leases.get(number, ("", False))
        offset = alignment * (number + 3) if name else 0
        record = (
            name.encode().ljust(49, b"\0") + f"{offset:011}".encode() + b"\0" + (b"u" if updating else b"-") + b"-\n"
        )
        index[512 + 64 * number : 576 + 64 * number] = record
    area.seek(alignment)
    area.write(index)


def mailbox_page(area, host, mails):
    """`mails`: {slot: ("extend", domain, volume, MiB) or "clear"}"""
    page = bytearray(4096)
    for slot, mail in mails.items():
        if mail == "clear":
            content = bytes([1] * 64)
        else:
            _, domain, target, size = mail
            content = b"1xtnd" + uuid.UUID(domain).bytes[::-1] + uuid.UUID(target).bytes[::-1]
            content += hex(size)[2:].rjust(16, "0").encode()
        page[64 * slot : 64 * slot + 64] = content + b"0" * (64 - len(content))
    page[4092:] = (sum(page) % 2**32).to_bytes(4, "little")
    area.seek(host * 4096)
    area.write(page)


def ovf_store(updated, domains, ovfs, statuses):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:

        def add(name, content):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

        info = {"Last Updated": updated, "Storage Domains": [{"uuid": domain} for domain in domains]}
        add("info.json", json.dumps(info).encode())
        for name, content in ovfs.items():
            add(name + ".ovf", content)
        add("metadata.json", json.dumps({"VM Status": statuses}).encode())
    return target.getvalue()


def file_domain(folder, keys, images):
    """`images`: {id: {volume id: keys}}"""
    os.makedirs(os.path.join(folder, "dom_md"))
    os.makedirs(os.path.join(folder, "images"))
    with open(os.path.join(folder, "dom_md", "metadata"), "wb") as file:
        file.write(domain_file(keys))
    for image, volumes in images.items():
        os.mkdir(os.path.join(folder, "images", image))
        for name, table in volumes.items():
            with open(os.path.join(folder, "images", image, name + ".meta"), "wb") as file:
                file.write(volume(table))

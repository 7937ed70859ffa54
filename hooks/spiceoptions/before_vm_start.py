#!/usr/bin/python3
"""spiceoptions: compression and more of SPICE."""

import hookxml

KNOWN = {
    "image": ("compression",), "jpeg": ("compression",), "zlib": ("compression",), "playback": ("compression",),
    "streaming": ("mode",), "clipboard": ("copypaste",), "filetransfer": ("enable",), "mouse": ("mode",),
}  # fmt: skip


def tune(domain, value):
    screens = [found for found in hookxml.devices(domain, "graphics") if found.getAttribute("type") == "spice"]
    for name, attributes in hookxml.mapping(value).items():
        if name not in KNOWN or not isinstance(attributes, dict) or set(attributes) - set(KNOWN[name]):
            raise ValueError(f"{name!r} is not known, or has attributes other than {', '.join(KNOWN.get(name, ()))}")
        for screen in screens:
            for attribute, word in attributes.items():
                hookxml.make(screen, name).setAttribute(attribute, str(word))


hookxml.with_property("spiceoptions", tune)

#!/usr/bin/python3
"""qemucmdline: words for QEMU's command line."""

import json

import hookxml


def pass_on(domain, value):
    try:
        words = json.loads(value)
    except ValueError as error:
        raise ValueError(f"this is no JSON: {error}") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("a JSON list of texts is wanted")
    hookxml.add_arguments(domain, words)


hookxml.with_property("qemu_cmdline", pass_on)

"""The schema language: what an API description holds, how it is read, checked and compared with older versions.

A description is a folder of YAML files. Each may hold one `class` with its `verbs`, and any number of `types`, `events`
and `errors`; the folder as a whole is one `Schema`. Everything else (Python types, codecs, clients, HTML, command-line
help) is made from it by `ovis.generate`.
"""

from ovis.schema.model import Schema
from ovis.schema.read import SchemaError, read_folder

__all__ = ["Schema", "SchemaError", "read_folder"]

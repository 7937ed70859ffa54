"""The schema language: what an API description holds, how it is read, checked and compared with older versions.

A description is a folder of YAML files. Each may hold one `class` with its `verbs`, and any number of `types`, `events`
and `errors`; the folder as a whole is one `Schema`. Everything else (Python types, codecs, clients, HTML, command-line
help) is made from it by `ovis.generate`.

Reading YAML is not imported here (`ovis.schema.read`): a running client or agent loads the compiled form and should not
pay for a YAML parser.
"""

from ovis.schema.model import Schema

__all__ = ["Schema"]

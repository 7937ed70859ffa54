"""Setting a host up: `ovis node setup check | show | apply | undo`. A program of its own; the agent never imports it.

checks.py      what is wrong with the machine, each with a remedy; changes nothing
declared.py    what is configured: steps as data
files.py, accounts.py, folders.py, links.py, made_certificates.py     the kinds of steps
record.py      what each step found before it changed it, on disk before the change: repeating and undoing need no more

not in place ── record, then change ──> in place ── undo: put back, then forget the record ──> not in place
                    kill -9 anywhere: apply again, or undo, does the rest
"""

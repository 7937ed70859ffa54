"""`ovis`, the command line.

    main -> node -> verb -> arguments -> values -> units       words of the user to what travels
                    verb -> talk                               the connection, and what its failures mean
                    verb -> output -> clean, tables -> units   what came back to what is shown
            node -> follow (events), top
    completion, help_text                                      from the schema, no connection needed

The schema says everything about verbs, so nothing here knows one of them, but for `top` and for the ids of VMs in
completion. A call must stay cheap as a whole process (docs/cli.md has the figure): modules that only some commands
need (ssl, rich, yaml, asyncio, the generated types) are imported where they are used.
"""

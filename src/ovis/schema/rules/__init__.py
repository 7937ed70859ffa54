"""The rules that a schema must keep, a module for each part of it. `ovis.schema.check` runs them all."""

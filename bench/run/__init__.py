"""From YAML to tables: configuration, plan, execution, store."""

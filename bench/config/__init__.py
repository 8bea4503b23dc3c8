"""From YAML to a checked configuration."""

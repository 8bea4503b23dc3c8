"""From a configuration to stored results: plan, execution, progress."""

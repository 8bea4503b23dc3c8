"""The built-in plugins, one package for each family; found as a stranger's plugin is."""

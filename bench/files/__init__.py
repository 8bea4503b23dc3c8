"""Files that are not in the package: published weights and statistics, and the cache for them."""

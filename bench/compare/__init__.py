"""The verdict on a change: two sets of results, compared with uncertainty. Never imports torch."""

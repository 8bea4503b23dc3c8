"""The options of `bench train` and `bench train-classifier`, without torch."""

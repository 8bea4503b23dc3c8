"""Tables and labels in the forms that people read. Never imports torch."""

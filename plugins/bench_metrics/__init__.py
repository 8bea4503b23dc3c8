"""Score models: closed forms and the pretrained networks of the wheel."""

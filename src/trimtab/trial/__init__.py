"""A recipe tried on the user's own script: enacted in a child run, compared with an untouched control."""

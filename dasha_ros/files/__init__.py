"""The door for people's files: each is read as what it is, or refused with one sentence that names it."""

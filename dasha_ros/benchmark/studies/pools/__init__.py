"""Where the tasks of a study are carried out."""

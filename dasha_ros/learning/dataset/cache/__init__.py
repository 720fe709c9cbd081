"""The percept cache: percepts of every view over defocus and light, computed once and looked up."""

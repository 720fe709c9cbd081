"""Goals of actions: the server that works on one at a time, and those who ask for them."""

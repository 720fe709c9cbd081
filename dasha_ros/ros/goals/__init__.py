"""Goals of actions: the server, which works on one goal at a time, and the clients."""

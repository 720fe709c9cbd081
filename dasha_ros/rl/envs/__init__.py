"""The environments of both agents: batches over the percept cache, and Gymnasium over a rig."""

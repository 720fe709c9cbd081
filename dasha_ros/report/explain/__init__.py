"""Why the agents did what a report tells: decisions played again, also with parts of the latent covered."""

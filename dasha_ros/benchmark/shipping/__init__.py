"""How the policy of A^L that ships is made: several runs, one of which is chosen on validation."""

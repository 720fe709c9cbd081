"""Messages on the wire: quality of service, conversions, and the fast path of the closed loop."""

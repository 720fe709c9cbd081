"""Motor focusers behind an INDI server, as astronomy has them: steps, travel time, backlash."""

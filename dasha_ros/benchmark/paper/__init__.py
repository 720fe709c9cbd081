"""The paper's comparisons, made anew: measured, drawn, and put on one page."""

"""Corning's Varioptic liquid lenses behind their driver boards on a serial port."""

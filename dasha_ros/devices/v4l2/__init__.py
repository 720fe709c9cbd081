"""Webcams: camera and lens of one UVC device behind Linux's video interface."""

"""GenICam cameras of any vendor through Aravis: GigE Vision and USB3 Vision."""

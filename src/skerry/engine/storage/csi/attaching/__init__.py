"""Attaching volumes to this node, for the drivers that need it: VolumeAttachment objects and who answers them."""

"""Clips to feature maps. ``BACKBONES`` names the architectures, ``build`` makes one."""

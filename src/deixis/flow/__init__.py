"""Optical flow: how every pixel moves to the next frame, and what of it the camera does not explain."""

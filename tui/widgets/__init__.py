"""Panels and the line-drawn widgets they are made of."""

"""Records of the synthetic world written as splits of data sets, one layout a file.

Each module has ``write(records, root, split, image)``. Every file is written beside its place and moved there
(``files.py``); the tables that make a folder a data set come last, so that a run that was killed leaves
nothing that looks whole.
"""

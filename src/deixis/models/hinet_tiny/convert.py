"""The names of the parameters: ours alone, there is no other file of this model."""

from deixis.models.renaming import Renaming

RENAMING = Renaming(pairs=(("network.**", "network.**"),))

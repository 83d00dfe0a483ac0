from hypothesis import settings

# The first example of a test may import what takes a second, and machines that share cores are slow.
settings.register_profile("deixis", deadline=None)
settings.load_profile("deixis")

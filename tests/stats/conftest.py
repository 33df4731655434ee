from hypothesis import settings

# The first example of a test may import scipy.optimize: no deadline. The same examples in every run.
settings.register_profile("laws", deadline=None, derandomize=True)
settings.load_profile("laws")

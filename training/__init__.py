"""Make releases: fit, calibrate, evaluate, judge."""

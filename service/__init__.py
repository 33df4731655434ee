"""The service: comparisons over HTTP and as pages, with keys, a register, and one door before everything."""

"""The command line: the one room of the library that reads the clock and the environment."""

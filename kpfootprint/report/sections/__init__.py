"""The parts of a report, in the order in which it answers: declared, seen, how sure, for and against, unknowable."""

"""Work that is done beside the requests: taken from the queue, run, resumed where somebody else left it."""

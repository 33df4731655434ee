"""What the service does: one function an operation, called alike by HTTP, pages, command line and worker."""

"""Lets ``python -m kpfootprint`` do what the command ``kpfootprint`` does."""

from kpfootprint.cli.main import main

if __name__ == "__main__":
    main()

"""``python -m deixis``: the command line."""

from deixis.cli import main

if __name__ == "__main__":
    main()

"""`python -m multilora.cli`, where the command is not on the PATH."""

from multilora.cli.app import main

if __name__ == "__main__":
    main()

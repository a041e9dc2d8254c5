"""`python -m transpiler`."""

from transpiler.cli.main import main

if __name__ == "__main__":
    main()

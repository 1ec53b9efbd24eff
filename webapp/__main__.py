"""`python -m webapp`: the same as the `runsheet` command."""

from webapp.cli import main

main()

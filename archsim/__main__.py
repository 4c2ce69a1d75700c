"""`python -m archsim`: the command line, for a checkout that is not installed."""

from archsim.cli import main

main()

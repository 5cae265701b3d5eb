"""`python -m nmt` is the command `nmt`."""

from nmt.cli import main

main()

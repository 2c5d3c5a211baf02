"""Check that every page of _toc.yml was built: python -m multilora.book ."""

import sys

from multilora.book.pages import main

main(sys.argv[1])

"""`python -m mithril_elt` is `mithril-elt`."""

from mithril_elt.cli import main

if __name__ == "__main__":
    main()

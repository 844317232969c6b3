"""`python -m kagari`: the same as the command `kagari`."""

from kagari.switch.command import main

raise SystemExit(main())

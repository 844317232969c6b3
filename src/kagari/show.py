"""`python -m kagari.show silu`: what becomes of a definition. The work is in kernels/show.py."""

from kagari.kernels.show import main

if __name__ == "__main__":
    main()

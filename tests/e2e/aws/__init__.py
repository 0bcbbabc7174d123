"""Local AWS for the end-to-end tests: moto and dynalite behind one door, and the real binaries run as Lambda runs them.

One process, on loopback. `python -m aws` from the folder above prints one line of JSON when it is ready, and ends with
everything it started as soon as its standard input is closed: whoever started it cannot die without it.
"""

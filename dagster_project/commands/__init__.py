"""Commands: what `service-roi` runs beside the daily run, one module a command.

Holds functions that the command line calls with parsed arguments. It must not parse arguments or print, and no layer may import it.
"""

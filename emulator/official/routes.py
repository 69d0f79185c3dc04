"""The tables of the official account's addresses."""

from emulator.routes import Routes

routes = Routes()
mp_routes = Routes()

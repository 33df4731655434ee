"""The door: everything that a request passes before anybody sees it, one concern a layer."""

"""Rules, a few to a module; a module is found by being here."""

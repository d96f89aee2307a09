"""Pure rules: state and `now` in, new state and events out. No I/O, no clock, no ids made."""

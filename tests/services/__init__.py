"""The servers that tests talk to: real ones, started by us, gone with us."""

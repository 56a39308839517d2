"""Who stands the watch, and when: rotations, absences, overrides, and the one calculator of shifts.

pattern.py    what a rotation is; plain frozen data
plain.py      the same as JSON, read with refusals that name the field
units.py      the stretches of time between two handoffs, cut by coverage
line.py       whose turn it is: the line of waiting turns, cycles, ticks
planning.py   turns dealt out, seat by seat, absences covered
overlay.py    overrides laid over the plan
turns.py      the door: `shifts`, `who`, `progress`, `served_ticks`
moves.py      whom an edit would move
holidays.py   public holidays of a team or a person
"""

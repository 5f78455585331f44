"""Whether rows still look like the reference: events, evidence over three clocks, alarms. Pure."""
